package cli

// This file is `paydoor node status`: whether the node works, and each of its links.

import (
	"errors"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

// errNotReady is the end of status when the node cannot take packets yet.
var errNotReady = errors.New("the node has no address and asset yet: it learns them from its parent, see the link of that account")

func (e Environment) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Shows whether the node is ready, and the state of each account",
		Long: `
Shows address and asset of the node and, for each account, whether its link is up and why not, how many of its packets are under way, and
its balance: what the node owes it; and the settlements that no engine has answered yet. Without the admin token, and from other nodes than paydoor, it shows the address alone. The exit
status is 0 if the node is ready.`,
		Args: exactly(0, "nothing behind status"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client(cmd, adminIfAny)
			if err != nil {
				return err
			}
			defer c.close()
			a, err := c.status(cmd)
			if err != nil {
				return err
			}
			s, err := decodeRecord(a.body)
			if err != nil {
				return err
			}
			ready, err := isReady(s)
			if err != nil {
				return err
			}
			if err := output(cmd, a.body, func(w io.Writer) error { statusTable(w, s); return nil }); err != nil {
				return err
			}
			if !ready {
				return errNotReady
			}
			return nil
		},
	}
}

// status asks for all there is to say, and where that is not to be had, for what the node tells everybody.
func (c *client) status(cmd *cobra.Command) (answer, error) {
	if c.token != "" {
		a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: "/status"})
		if no, ok := errors.AsType[*refusal](err); !ok || no.Status != http.StatusNotFound {
			return a, err
		}
	}
	return c.ask(cmd.Context(), request{method: http.MethodGet, path: "/"})
}

// isReady reads whether the node takes packets: our own word, that of interledger-rs, or, as of the Java connector, its address.
func isReady(s record) (bool, error) {
	for _, word := range []struct{ name, ready string }{{"ready", "yes"}, {"status", "Ready"}} {
		if said := s.text(word.name); said != "" {
			return said == word.ready, nil
		}
	}
	if _, ok := s["operatorAddress"]; !ok {
		return false, errAnswer
	}
	return s.text("operatorAddress") != "", nil
}

func statusTable(w io.Writer, s record) {
	switch s.text("ready") {
	case "yes":
		row(w, "ready", "yes")
	case "no":
		row(w, "ready", "no")
	default:
		named(w, "status", s.text("status"))
	}
	named(w, "address", s.text("address", "ilp_address", "operatorAddress"))
	asset := s.inside("asset")
	if code := asset.text("code", "Code"); code != "" {
		row(w, "asset", code+" "+asset.text("scale", "Scale"))
	}
	named(w, "version", s.text("version"))
	accountsStatus(w, s.list("accounts"))
	if pending := s.list("settlements"); len(pending) > 0 {
		row(w, "")
		pendingTable(w, pending)
	}
}

func accountsStatus(w io.Writer, accounts []record) {
	if len(accounts) == 0 {
		return
	}
	row(w, "")
	row(w, "ACCOUNT", "RELATION", "LINK", "IN FLIGHT", "CLEARING", "PREPAID", "PROBLEM")
	for _, a := range accounts {
		asset, balance := a.inside("asset"), a.inside("balance")
		code, scale := asset.text("code", "Code"), asset.text("scale", "Scale")
		row(w, a.text("id"), a.text("relation"), linkState(a), a.text("in_flight"),
			units(balance.text("clearing"), code, scale), units(balance.text("prepaid"), code, scale), a.text("problem"))
	}
}

// linkState says whether packets can be sent to the account.
func linkState(a record) string {
	switch {
	case a.text("has_link") == "no":
		return "none"
	case a.text("up") == "yes":
		return "up"
	}
	return "down"
}
