package caddymodule

// This file is `paydoor tokens credit` and `debit`: the operator raises or lowers a balance by hand, once per id.

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/amount"
)

// adjustCommand makes the command of a direction: credit or debit.
func adjustCommand(direction string) *cobra.Command {
	short := map[string]string{"credit": "Adds to the balance of a token", "debit": "Takes from the balance of a token"}[direction]
	cmd := &cobra.Command{
		Use:   direction + " AMOUNT --reason TEXT [--id ID] [--decimal] [--account HEX | --token-file FILE] [--realm NAME] [--address ADMIN] [--json]",
		Short: short,
		Long: short + `, durably before it says so.

AMOUNT is a whole number of the asset's smallest units, as in prices; with --decimal it is in the asset's own unit: 1.50 of USD is one and
a half dollars. The reason is kept in the history.

With the same --id, the same change is made once, however often the command is run; with another change it is refused. Without --id
a new one is made up and printed, also when the outcome is unknown: then run the command again with it.`,
		Args: plain(cobra.ExactArgs(1), "write the amount, and nothing else, behind "+direction+"; "+tokenArgument),
		RunE: ending(func(cmd *cobra.Command, args []string) error { return runAdjust(cmd, direction, args[0]) }),
	}
	cmd.Flags().String("reason", "", "Why; kept in the history (required)")
	cmd.Flags().String("id", "", "An id of your own for this change; default: a random one")
	cmd.Flags().Bool("decimal", false, "AMOUNT is in the asset's own unit, such as 1.50")
	addAccountFlags(cmd)
	addAddressFlags(cmd)
	addOutputFlag(cmd)
	return cmd
}

func runAdjust(cmd *cobra.Command, direction, text string) error {
	reason, id := option(cmd, "reason"), option(cmd, "id")
	if reason == "" {
		return errors.New(`there is no reason: write --reason "refund of ticket 7", or whatever it is; it is kept in the history`)
	}
	who, err := account(cmd)
	if err != nil {
		return err
	}
	units, err := adjustedUnits(cmd, who, text)
	if err != nil {
		return err
	}
	if id == "" {
		id = rand.Text()
	}
	request := adjustRequest{Direction: direction, Amount: units.String(), Reason: reason, ID: id}
	if _, err := request.check(); err != nil { // JSON would make two ids that are no UTF-8 one
		return err
	}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	var answer adjustAnswer
	err = askJSON(cmd, http.MethodPost, "/paydoor/accounts/"+who+"/adjustments", bytes.NewReader(body), &answer)
	refused, answered := errors.AsType[*errRefused](err)
	switch {
	case errors.Is(err, errNotAsked), answered && refused.Status < http.StatusInternalServerError:
		return err
	case err != nil:
		return fmt.Errorf("%w; whether it was made is unknown: run the command again with --id %s", err, id)
	}
	return output(cmd, answer, answer.table)
}

// adjustedUnits reads the amount in base units, or with --decimal in the unit of the asset that the server counts.
func adjustedUnits(cmd *cobra.Command, who, text string) (amount.Amount, error) {
	if option(cmd, "decimal") == "false" {
		units, err := amount.Parse(text)
		if err != nil || units == 0 {
			return 0, fmt.Errorf("the amount is no positive whole number of the asset's smallest units: write one such as 1500, or 1.50 with --decimal")
		}
		return units, nil
	}
	var shown accountAnswer
	if err := askJSON(cmd, http.MethodGet, "/paydoor/accounts/"+who+"?events=0", nil, &shown); err != nil {
		return 0, err
	}
	if shown.Asset == nil {
		return 0, errors.New("the ledger holds no money yet, so its asset may still change: write the amount in smallest units, without --decimal")
	}
	units, err := amount.ParseDecimal(text, shown.Asset.Scale)
	if err != nil || units == 0 {
		return 0, fmt.Errorf("the amount is no positive decimal number with at most %d places, as %s has: write one such as 1.50", shown.Asset.Scale, shown.Asset.Code)
	}
	return units, nil
}

func (a *adjustAnswer) table(w io.Writer) {
	row(w, "account", a.Account)
	row(w, a.Direction, units(a.Amount, a.Asset))
	row(w, "id", a.ID)
	row(w, "spendable", units(a.Spendable, a.Asset))
}
