package cli

// This file is `paydoor node status`: whether the node works, and each of its links.

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

var (
	// errNotReady is the end of status when the node cannot take packets yet.
	errNotReady = errors.New("the node has no address and asset yet: it learns them from its parent, see the link of that account")
	// errNoPayments is its end when the node rejects all that has money.
	errNoPayments = errors.New("the node takes no payments")
)

func (e Environment) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Shows whether the node is ready, and the state of each account",
		Long: `
Shows address and asset of the node and, for each account, whether its link is up and why not, how many of its packets are under way, and
its balance: what the node owes it; and the settlements that no engine has answered yet. Without the admin token, and from other nodes than paydoor, it shows the address alone. The exit
status is 0 if the node is ready: it has an address, and what it is paid can be written down.`,
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
			unready := readiness(s)
			if errors.Is(unready, errAnswer) {
				return unready
			}
			if err := output(cmd, a.body, func(w io.Writer) error { statusTable(w, s); return nil }); err != nil {
				return err
			}
			return unready
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

// readiness is nil if the node takes packets: by our own word, that of interledger-rs, or, as of the Java connector, because it has an address.
func readiness(s record) error {
	_, java := s["operatorAddress"]
	switch ready, status := s.text("ready"), s.text("status"); {
	case s.text("problem") != "":
		return fmt.Errorf("%w: %s", errNoPayments, s.text("problem"))
	case ready == "yes", ready == "" && status == "Ready", ready == "" && status == "" && s.text("operatorAddress") != "":
		return nil
	case status == "Not taking payments":
		return fmt.Errorf("%w: with the admin token this says why", errNoPayments)
	case ready != "", status != "", java:
		return errNotReady
	}
	return errAnswer
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
	named(w, "problem", s.text("problem"))
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
