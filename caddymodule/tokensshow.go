package caddymodule

// This file is `paydoor tokens show`: what one token has, and how that came about.

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func showCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [--account HEX | --token-file FILE] [--realm NAME] [--events COUNT] [--address ADMIN] [--json]",
		Short: "Shows balance and history of one token",
		Long: `
Shows what one token has and the last events of its history. The token is read from stdin, without echo on a terminal, or from a file; it
does not leave this process: the server is asked for its hash.`,
		Args: plain(cobra.NoArgs, tokenArgument),
		RunE: ending(runShow),
	}
	cmd.Flags().Int("events", defaultEvents, fmt.Sprintf("How many events to show, up to %d", maxEvents))
	addAccountFlags(cmd)
	addAddressFlags(cmd)
	addOutputFlag(cmd)
	return cmd
}

func runShow(cmd *cobra.Command, _ []string) error {
	id, err := account(cmd)
	if err != nil {
		return err
	}
	var answer accountAnswer
	if err := askJSON(cmd, http.MethodGet, "/paydoor/accounts/"+id+"?events="+option(cmd, "events"), nil, &answer); err != nil {
		return err
	}
	return output(cmd, answer, answer.table)
}

func (a *accountAnswer) table(w io.Writer) {
	row(w, "account", a.Account)
	row(w, "balance", units(a.Durable, a.Asset))
	row(w, "reserved", units(a.Reserved, a.Asset))
	row(w, "spendable", units(a.Spendable, a.Asset))
	row(w, "")
	if a.Earlier > 0 {
		row(w, fmt.Sprintf("%d earlier events", a.Earlier))
	}
	for _, e := range a.History {
		row(w, e.At.Format(time.RFC3339), e.Kind, e.signed(), e.about())
	}
	if len(a.History) == 0 && a.Earlier == 0 {
		row(w, "no history")
	}
}

func (e *eventAnswer) signed() string {
	switch e.Kind {
	case "credited", "raised":
		return "+" + e.Amount
	case "reversed", "lowered", "charged":
		return "-" + e.Amount
	}
	return ""
}

// about is what else there is to say of an event on one line.
func (e *eventAnswer) about() string {
	switch {
	case e.foldedAnswer != nil:
		return fmt.Sprintf("older than the retention: credits %s, reversals %s, charges %s, raised %s, lowered %s", e.Credits, e.Reversals, e.Charges, e.Raised, e.Lowered)
	case e.Count == 1:
		return "1 charge"
	case e.Count > 1:
		return fmt.Sprintf("%d charges", e.Count)
	case e.Reason != "":
		return fmt.Sprintf("%q", e.Reason)
	case e.Condition != "":
		return "condition " + e.Condition
	}
	return ""
}
