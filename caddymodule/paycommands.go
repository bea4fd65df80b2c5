package caddymodule

// This file is `paydoor fetch` and `paydoor wallet`: the commands of payer/cli, with what they take from the process.

import (
	"crypto/rand"
	"io"
	"os"
	"time"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/paydoor/paydoor/payer"
	"github.com/paydoor/paydoor/payer/cli"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "fetch",
		Usage: "[flags] URL...",
		Short: "Fetches URLs as curl does, and pays for them",
		Long: `
Sends a request to each URL, with curl's usual flags; where the answer is a 402, pays what it asks for, and sends the request again. --max says
how much one request may cost, in base units of your account, once for each host; nothing above it is ever paid.

The money comes from your account at a connector, which --uplink, PAYDOOR_UPLINK or the configuration names; for URLs of this machine without it, from the
sandbox of a node on this machine, at http://localhost:7770 or what PAYDOOR_NODE says. What was paid is in the wallet: paydoor wallet.

The exit status is 0 if all final answers were 2xx; else that of the first URL for which it was not: 1 for a mistake on the command line, in the
configuration or with a file; 2 if the server was not reached or broke off; 3 for another answer; 4 if the payment was above a cap or no maximum is
set, so that nothing was paid for it; 5 if it could not be paid; 6 if nobody knows what became of a part of the payment.`,
		CobraFunc: func(cmd *cobra.Command) {
			cli.Fetch(cmd, payEnvironment())
			endAll([]*cobra.Command{cmd}, cli.ExitStatus)
		},
	})
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "wallet",
		Usage: "[command]",
		Short: "Shows what paydoor fetch has paid, and the caps",
		Long: `
Shows the hosts that were paid, with the first characters of the tokens, the balances that they told last and the caps; lists and exports the payments.

The wallet is a directory: the user's configuration directory with paydoor behind it, or what --wallet or PAYDOOR_WALLET names. Amounts are base
units: of balances, the host's; of all else, your account's.`,
		CobraFunc: func(cmd *cobra.Command) {
			cli.Wallet(cmd, payEnvironment())
			endAll([]*cobra.Command{cmd}, cli.ExitStatus)
		},
	})
}

func payEnvironment() cli.Environment {
	dir, err := payer.WalletDir()
	if err != nil {
		dir = "" // the commands say how to name another
	}
	return cli.Environment{Getenv: os.Getenv, Dir: dir, Now: time.Now, Random: rand.Reader, Terminal: func(w io.Writer) bool {
		f, ok := w.(*os.File)
		return ok && term.IsTerminal(int(f.Fd()))
	}}
}
