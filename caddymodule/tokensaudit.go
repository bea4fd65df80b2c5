package caddymodule

// This file is `paydoor tokens audit`: whether the ledger of the running server adds up.

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit [--address ADMIN] [--json]",
		Short: "Adds up the ledger of the running server",
		Long: `
Reads every balance and the whole history, and compares them with each other and with the totals, account by account and over all. The
sums are exact. The server goes on meanwhile. The exit status is 0 if the ledger adds up, else 1.`,
		Args: plain(cobra.NoArgs, "audit takes no arguments"),
		RunE: ending(runAudit),
	}
	addAddressFlags(cmd)
	addOutputFlag(cmd)
	return cmd
}

func runAudit(cmd *cobra.Command, _ []string) error {
	var answer auditAnswer
	if err := askJSON(cmd, http.MethodGet, "/paydoor/audit", nil, &answer); err != nil {
		return err
	}
	return answer.print(cmd)
}

// print prints the audit; it is an error if the ledger does not add up.
func (a *auditAnswer) print(cmd *cobra.Command) error {
	if err := output(cmd, a, a.table); err != nil {
		return err
	}
	if !a.OK {
		return errors.New(a.Problem)
	}
	return nil
}

func (a *auditAnswer) table(w io.Writer) {
	row(w, "data directory", a.DataDir)
	row(w, "after group", a.Sequence)
	row(w, "accounts", a.Accounts)
	row(w, "events", a.Events)
	row(w, "")
	row(w, "credits", units(a.Credits, a.Asset), fmt.Sprintf("%d payments", a.CreditCount))
	row(w, "- reversals", units(a.Reversals, a.Asset))
	row(w, "- charges", units(a.Charges, a.Asset), fmt.Sprintf("%d charges", a.ChargeCount))
	row(w, "+ raised", units(a.Raised, a.Asset))
	row(w, "- lowered", units(a.Lowered, a.Asset))
	row(w, "= balances", units(a.Balances, a.Asset))
	if a.Accepted != "" || len(a.Losses) > 0 {
		row(w, "")
	}
	if a.Accepted != "" {
		row(w, "accepted: "+a.Accepted)
	}
	for _, l := range a.Losses {
		l.row(w)
	}
	row(w, "")
	if a.OK {
		row(w, "The ledger adds up.")
	}
}
