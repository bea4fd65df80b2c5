package cli

// This file is `paydoor node pay`: the node sends a payment for one of its accounts.

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/amount"
)

// defaultPayTimeout is how long a payment may take: it is many packets.
const defaultPayTimeout = 5 * time.Minute

func (e Environment) payCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "pay NAME --to POINTER --amount N [--slippage RATIO] [--idempotency-key KEY] [--receipt-nonce NONCE --receipt-secret env:NAME]", Short: "Pays from an account of the node",
		Long: `
Sends an amount, in base units of the account, to a payment pointer, with the account's token: in PAYDOOR_TOKEN, or in the file that
--token-file names. Every payment has an idempotency key, which is printed before it is sent: with the same key the same payment is made once,
however often the command is run within 24 hours; later, look at accounts payments first. Without --idempotency-key a new one is made up.`,
		Args: account("the name of the paying account behind pay"),
		RunE: e.runPay,
	}
	cmd.Flags().String("to", "", "The payment pointer, such as '$example.com/alice', or a URL (required)")
	cmd.Flags().String("amount", "", "How much to send, in base units of the account (required)")
	cmd.Flags().String("slippage", "", "How much worse than the node's own rates the outcome may be, such as 0.02; default: the node's")
	cmd.Flags().String("idempotency-key", "", "The key of a payment whose outcome is unknown, to make it once")
	cmd.Flags().String("receipt-nonce", "", "Base64 of 16 bytes: the receiver has to prove what it gets, with a STREAM receipt")
	cmd.Flags().String("receipt-secret", "", `Base64 of the 32 bytes that the receipt is signed with: "-" reads it from stdin, env:NAME takes it from a variable`)
	cmd.Flags().String("token", "", `The account's token: "-" reads it from stdin, env:NAME takes it from a variable`)
	return cmd
}

func (e Environment) runPay(cmd *cobra.Command, args []string) error {
	body, err := paymentOf(cmd)
	if err == nil {
		err = e.receiptTerms(cmd, body)
	}
	if err != nil {
		return err
	}
	c, err := e.client(cmd, accountToken)
	if err != nil {
		return err
	}
	defer c.close()
	if option(cmd, "timeout") == "0s" {
		c.timeout = defaultPayTimeout
	}
	key := option(cmd, "idempotency-key")
	if key == "" {
		key = rand.Text()
	} else if key, err = checkSecret("--idempotency-key", key); err != nil {
		return err
	}
	r, err := sendJSON(http.MethodPost, accountPath(args[0], "/payments"), body)
	if err != nil {
		return err
	}
	r.header.Set("Idempotency-Key", key)
	if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "paydoor: paying with idempotency key %s\n", clean(key)); err != nil {
		return err // without the key nobody could ask for the outcome
	}
	ctx, stop := interruptible(cmd)
	defer stop()
	made := payment{args[0], key, body.text("source_amount"), option(cmd, "idempotency-key") != ""}
	a, err := c.ask(ctx, r)
	if err != nil {
		return made.failed(cmd, err)
	}
	return made.receipt(cmd, a)
}

// paymentOf reads the flags.
func paymentOf(cmd *cobra.Command) (record, error) {
	to, text, slippage := option(cmd, "to"), option(cmd, "amount"), option(cmd, "slippage")
	if to == "" {
		return nil, errors.New("write whom to pay: --to '$example.com/alice'; the quotes keep the shell from taking $example for a variable")
	}
	a, err := amount.Parse(text)
	if err != nil || a == 0 {
		return nil, errors.New("--amount takes a positive whole number of base units: with a scale of 9, 1500000000 is 1.5")
	}
	body := record{"receiver": to, "source_amount": a.String()}
	if slippage != "" {
		if !decimalForm.MatchString(slippage) {
			return nil, errors.New("--slippage takes a decimal number such as 0.02")
		}
		body["slippage"] = slippage
	}
	return body, nil
}

// receiptTerms puts into the body what a STREAM receipt is asked for with.
func (e Environment) receiptTerms(cmd *cobra.Command, body record) error {
	nonce, secret := option(cmd, "receipt-nonce"), option(cmd, "receipt-secret")
	if nonce == "" && secret == "" {
		return nil
	}
	if nonce == "" || secret == "" {
		return errors.New("--receipt-nonce and --receipt-secret go together")
	}
	secret, err := e.secret(cmd, "receipt-secret", secret)
	if err != nil {
		return err
	}
	body["receipt_nonce"], body["receipt_secret"] = nonce, secret
	return nil
}
