package cli

// This file is `paydoor node accounts balance`.

import (
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// exactBalance is the media type in which this node says a balance to the last unit; others answer as they always do.
const exactBalance = "application/vnd.paydoor+json"

func (e Environment) balanceCommand() *cobra.Command {
	return &cobra.Command{
		Use: "balance NAME", Short: "Shows the balance of an account",
		Long: `
Shows what the node owes the account's holder; negative: what the holder owes the node. Clearing comes from packets, prepaid from
settlements beyond the debt, and net is both together.`,
		Args: account("the name of the account behind balance"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.client(cmd, holder)
			if err != nil {
				return err
			}
			defer c.close()
			accept := http.Header{"Accept": {exactBalance + ", application/json;q=0.5"}}
			a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: accountPath(args[0], "/balance"), header: accept})
			if err != nil {
				return err
			}
			return output(cmd, a.body, func(w io.Writer) error { return balanceTable(w, args[0], a.body) })
		},
	}
}

// balanceTable reads the balance in all its forms: exact, that of the Java connector, a number of base units, and whole units of the asset.
func balanceTable(w io.Writer, name string, body []byte) error {
	b, err := decodeRecord(body)
	if err != nil {
		return err
	}
	code, scale := b.text("asset_code", "assetCode"), b.text("asset_scale", "assetScale")
	if java := b.inside("accountBalance"); java != nil {
		b = java
	}
	net := b.text("net", "netBalance")
	row(w, "account", clean(name))
	switch {
	case net != "":
		row(w, "clearing", units(b.text("clearing", "clearingBalance"), code, scale))
		row(w, "prepaid", units(b.text("prepaid", "prepaidAmount"), code, scale))
		row(w, "net", units(net, code, scale))
	case b.text("balance") == "":
		return errAnswer
	case code != "":
		row(w, "balance", strings.TrimSpace(b.text("balance")+" "+code), "rounded, as this node says it")
	default:
		row(w, "balance", b.text("balance"))
	}
	return nil
}
