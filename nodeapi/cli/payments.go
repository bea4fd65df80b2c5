package cli

// This file is `paydoor node accounts payments`: what an account has paid and been paid, newest first.

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

func (e Environment) paymentsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "payments NAME [--limit N] [--sent|--received] [--after CURSOR]", Short: "Shows what an account has paid and been paid",
		Long: `
Shows the payments of an account, newest first: those that the node made for it, and those that came to it by SPSP. AMOUNT is what its balance
fell or rose by. unknown is what was under way when the node stopped, or of which nobody told what became: AMOUNT is right for them, too. Where
there are more than --limit, the last line says how to go on.`,
		Args: account("the name of the account behind payments"),
		RunE: e.runPayments,
	}
	cmd.Flags().Uint("limit", 20, "How many payments, 1 to 500")
	cmd.Flags().Bool("sent", false, "Those alone that were sent")
	cmd.Flags().Bool("received", false, "Those alone that were received")
	cmd.Flags().String("after", "", "Those that are older: the cursor of the page before")
	return cmd
}

func (e Environment) runPayments(cmd *cobra.Command, args []string) error {
	query := url.Values{"limit": {option(cmd, "limit")}}
	if n, err := strconv.Atoi(option(cmd, "limit")); err != nil || n < 1 || n > 500 {
		return errors.New("--limit takes a whole number from 1 to 500")
	}
	only := option(cmd, "sent") == "true"
	switch received := option(cmd, "received") == "true"; {
	case only && received:
		return errors.New("--sent and --received together are all payments: leave both out")
	case only:
		query.Set("direction", "sent")
	case received:
		query.Set("direction", "received")
	}
	if after := option(cmd, "after"); after != "" {
		query.Set("cursor", after)
	}
	c, err := e.client(cmd, holder)
	if err != nil {
		return err
	}
	defer c.close()
	a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: accountPath(args[0], "/payments?"+query.Encode())})
	if err != nil {
		return err
	}
	return output(cmd, a.body, func(w io.Writer) error { return paymentsTable(w, a.body) })
}

// paymentsTable reads the history in both forms.
func paymentsTable(w io.Writer, body []byte) error {
	page, err := decodeRecord(body)
	if err != nil {
		return err
	}
	if _, ok := page["payments"].([]any); !ok {
		return errAnswer
	}
	payments := page.list("payments")
	if len(payments) == 0 {
		row(w, "There are no payments.")
	} else {
		row(w, "BEGUN", "ID", "WHAT", "AMOUNT", "PACKETS", "STATE", "WITH", "PROBLEM")
	}
	for _, p := range payments {
		row(w, p.text("timestamp", "createdAt"), p.text("id", "paymentId"), p.text("direction"),
			units(p.text("amount"), p.text("asset_code", "assetCode"), p.text("asset_scale", "assetScale")), p.text("packets"), p.text("state"), counterparty(p), problemOf(p))
	}
	if earlier := page.inside("earlier"); earlier != nil {
		row(w, "")
		row(w, fmt.Sprintf("Before, until %s: sent %s in %s payments, received %s in %s.", earlier.text("until"), earlier.text("sent_amount", "sentAmount"),
			earlier.text("sent_payments", "sentPayments"), earlier.text("received_amount", "receivedAmount"), earlier.text("received_payments", "receivedPayments")))
	}
	if next := page.text("next"); next != "" {
		row(w, "")
		row(w, "There are older ones: --after "+next)
	}
	return nil
}

// counterparty is whom the payment was sent to, or the neighbour that it came from.
func counterparty(p record) string {
	if p.text("direction") == "received" {
		return p.text("from_username", "sourceAccountId")
	}
	return p.text("receiver", "destinationPaymentPointer")
}

// problemOf says what is wrong with a payment, and what is still open.
func problemOf(p record) string {
	text := p.text("error")
	if flying := p.text("in_flight_amount", "inFlightAmount"); flying != "" && flying != "0" {
		if text != "" {
			text += "; "
		}
		text += "nobody told what became of " + flying
	}
	return text
}
