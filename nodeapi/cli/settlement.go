package cli

// This file is `paydoor node settlement`: settlements that no engine has answered, and what an operator decides about them.

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func (e Environment) settlementCommand() *cobra.Command {
	return group("settlement", "Shows and resolves settlements that are unanswered", e.settlementListCommand(), e.settlementShowCommand(), e.settlementResolveCommand())
}

func (e Environment) settlementListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Lists the settlements that are unanswered",
		Args: exactly(0, "nothing behind list; show NAME shows one account"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client(cmd, adminToken)
			if err != nil {
				return err
			}
			defer c.close()
			a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: "/status"})
			if err != nil {
				return err
			}
			s, err := decodeRecord(a.body)
			if err != nil {
				return err
			}
			pending, ok := s["settlements"].([]any)
			if problem := s.text("problem"); !ok && problem != "" {
				return fmt.Errorf("the settlements cannot be read: %s", problem)
			}
			if !ok {
				return errAnswer
			}
			list, err := marshal(pending, "")
			if err != nil {
				return err
			}
			return output(cmd, list, func(w io.Writer) error { pendingTable(w, s.list("settlements")); return nil })
		},
	}
}

// pendingTable writes settlements that are unanswered.
func pendingTable(w io.Writer, pending []record) {
	if len(pending) == 0 {
		row(w, "No settlement is unanswered.")
		return
	}
	row(w, "SETTLEMENT OF", "STATE", "AMOUNT", "SINCE", "TRIES", "PROBLEM")
	for _, p := range pending {
		row(w, p.text("account"), p.text("state"), units(p.text("amount"), p.text("asset_code"), p.text("asset_scale")), p.text("since"), p.text("tries"), p.text("error"))
	}
}

func (e Environment) settlementShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Shows how an account is settled",
		Long: `
Shows the engine of an account, its thresholds, what settlements have left over that is less than a base unit, the settlement that is unanswered,
if one is, and what operators have decided about earlier ones. Of one that is refused, the engine may have carried out a call before: ask it
for the key, then resolve it.`,
		Args: account("the name of the account behind show"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.client(cmd, adminToken)
			if err != nil {
				return err
			}
			defer c.close()
			a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: accountPath(args[0], "/settlement")})
			if err != nil {
				return err
			}
			return output(cmd, a.body, func(w io.Writer) error { return settlementTable(w, a.body) })
		},
	}
}

// settlementTable writes how an account is settled.
func settlementTable(w io.Writer, body []byte) error {
	s, err := decodeRecord(body)
	if err != nil {
		return err
	}
	if s.text("account") == "" {
		return errAnswer
	}
	code, scale := s.text("asset_code"), s.text("asset_scale")
	row(w, "account", s.text("account"))
	engine := s.text("engine")
	if engine == "" {
		engine = "none"
	}
	row(w, "engine", engine)
	named(w, "settle_threshold", units(s.text("settle_threshold"), code, scale))
	named(w, "settle_to", units(s.text("settle_to"), code, scale))
	if rest := s.inside("leftover"); rest.text("amount") != "0" {
		named(w, "left over", units(rest.text("amount"), code, rest.text("scale")))
	}
	named(w, "problem", s.text("problem"))
	pending := s.inside("pending")
	if pending == nil {
		row(w, "unanswered", "nothing")
	} else {
		row(w, "unanswered", units(pending.text("amount"), code, scale))
		for _, name := range []string{"state", "since", "tries", "last_try", "error", "key"} {
			named(w, "  "+name, pending.text(name))
		}
		if pending.text("engine") != engine {
			named(w, "  engine", pending.text("engine"))
		}
	}
	for _, r := range s.list("resolved") {
		row(w, "resolved", r.text("at"), r.text("outcome"), units(r.text("amount"), code, scale), r.text("key"), r.text("reason"))
	}
	return nil
}

func (e Environment) settlementResolveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "resolve NAME --key KEY --as settled|refunded --reason TEXT", Short: "Decides about a settlement that its engine does not answer",
		Long: `
Says what became of a settlement of which the node cannot learn it: --as settled, the engine has made it, and the balance stays as it is; --as
refunded, it has not and will not, and the amount goes back to the balance. Look at the engine first: what it has made and you refund is paid
twice. The key, which settlement show prints, makes sure that you decide about the one that you have looked at. The reason is kept.`,
		Args: account("the name of the account behind resolve"),
		RunE: e.runResolve,
	}
	cmd.Flags().String("key", "", "The key of the settlement (required)")
	cmd.Flags().String("as", "", "settled or refunded (required)")
	cmd.Flags().String("reason", "", "How you know (required)")
	return cmd
}

func (e Environment) runResolve(cmd *cobra.Command, args []string) error {
	key, outcome, reason := option(cmd, "key"), option(cmd, "as"), option(cmd, "reason")
	switch {
	case key == "":
		return errors.New("--key says which settlement: paydoor node settlement show NAME has the key of the one that is unanswered")
	case outcome != "settled" && outcome != "refunded":
		return errors.New("--as takes settled, if the engine has made the settlement, or refunded, if it has not and will not")
	case strings.TrimSpace(reason) == "":
		return errors.New("--reason says how you know; it is kept")
	}
	c, err := e.client(cmd, adminToken)
	if err != nil {
		return err
	}
	defer c.close()
	r, err := sendJSON(http.MethodPost, accountPath(args[0], "/settlement/resolution"), record{"key": key, "outcome": outcome, "reason": reason})
	if err != nil {
		return err
	}
	a, err := c.ask(cmd.Context(), r)
	if err != nil {
		return err
	}
	return output(cmd, a.body, func(w io.Writer) error {
		decided, err := decodeRecord(a.body)
		if err != nil {
			return err
		}
		row(w, decided.text("outcome"), decided.text("amount")+" base units of "+clean(args[0]), "key "+decided.text("key"))
		return nil
	})
}
