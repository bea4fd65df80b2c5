package cli

// This file is `paydoor wallet`: hosts, tokens, balances and caps, and what was spent when.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/payer"
)

// Wallet makes of cmd the command wallet. Its errors are for people; ExitStatus says how to exit.
func Wallet(cmd *cobra.Command, e Environment) {
	cmd.PersistentFlags().String("wallet", "", "The directory of the wallet; default: "+walletVariable+", else the user's own")
	cmd.PersistentFlags().Bool("json", false, "Print JSON")
	cmd.SilenceUsage = true
	cmd.Args = exactly(0, "nothing behind wallet, or one of its commands: paydoor wallet --help")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return e.with(cmd, func(w *payer.Wallet, c config) error { return e.summary(cmd, w, c) })
	}
	cmd.AddCommand(e.spendingCommand(), e.exportCommand(), e.maxCommand())
}

// exactly is the check that a command has n arguments; text says what they are.
func exactly(n int, text string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("write %s", text)
		}
		return nil
	}
}

// with opens the wallet for f.
func (e Environment) with(cmd *cobra.Command, f func(*payer.Wallet, config) error) (err error) {
	w, c, err := e.open(cmd)
	if err != nil {
		return advised(err)
	}
	defer func() { err = advised(errors.Join(err, w.Close())) }()
	return f(w, c)
}

// overview is the JSON of `wallet --json`. Amounts are decimal strings.
type overview struct {
	Hosts      []hostLine `json:"hosts"`
	SpentToday string     `json:"spent_today"`
	PerRequest string     `json:"max_per_request,omitempty"`
	PerHost    string     `json:"max_per_host,omitempty"`
	PerDay     string     `json:"max_per_day,omitempty"`
}

type hostLine struct {
	Host     string `json:"host"`
	Token    string `json:"token"` // its first four characters
	Balance  string `json:"balance,omitempty"`
	Spent    string `json:"spent"`
	Payments int    `json:"payments"`
	Last     string `json:"last,omitempty"`
	Max      string `json:"max,omitempty"`
}

func (e Environment) summary(cmd *cobra.Command, w *payer.Wallet, c config) error {
	hosts, err := w.Hosts()
	if err != nil {
		return err
	}
	today, err := w.SpentToday()
	if err != nil {
		return err
	}
	all := overview{
		Hosts: []hostLine{}, SpentToday: today.String(),
		PerRequest: unlessZero(amount.Amount(c.PerRequest)), PerHost: unlessZero(amount.Amount(c.PerHost)), PerDay: unlessZero(amount.Amount(c.PerDay)),
	}
	tokens := payer.Transport{Secret: w.Secret()}
	for _, h := range hosts {
		line := hostLine{Host: clean(h.Name), Token: maskedToken(tokens.Token(h.Name)), Spent: h.Spent.String(), Payments: h.Payments, Last: moment(h.Last), Max: unlessZero(h.Max)}
		if !h.BalanceAt.IsZero() {
			line.Balance = h.Balance.String()
		}
		all.Hosts = append(all.Hosts, line)
	}
	if chosen(cmd, "json") {
		return printJSON(cmd, all)
	}
	return table(cmd, func(out io.Writer) { overviewTable(out, all) })
}

func overviewTable(out io.Writer, all overview) {
	if len(all.Hosts) == 0 {
		row(out, "Nothing was paid yet: paydoor fetch pays.")
	} else {
		row(out, "HOST", "TOKEN", "BALANCE", "SPENT", "PAYMENTS", "LAST", "MAX")
	}
	for _, h := range all.Hosts {
		row(out, h.Host, h.Token, orDash(h.Balance), h.Spent, fmt.Sprint(h.Payments), orDash(h.Last), orDash(h.Max))
	}
	row(out, "")
	row(out, "max per request", orDash(all.PerRequest))
	row(out, "max per host", orDash(all.PerHost))
	row(out, "max per day", orDash(all.PerDay), all.SpentToday+" spent today")
}

func (e Environment) spendingCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "spending [--host HOST]", Short: "Lists the payments, oldest first",
		Long: `
Lists what was paid when. A payment that is open is under way, or its program ended in the middle: it counts as spent. Of many payments
the oldest are one line for each host and day, after more than a year for each host and month.`,
		Args: exactly(0, "nothing behind spending; --host chooses a host"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.with(cmd, func(w *payer.Wallet, _ config) error {
				all, err := spendings(w, option(cmd, "host"))
				if err != nil {
					return err
				}
				if chosen(cmd, "json") {
					return printJSON(cmd, all)
				}
				return table(cmd, func(out io.Writer) { spendingTable(out, all) })
			})
		},
	}
	cmd.Flags().String("host", "", "Only payments to this host")
	return cmd
}

// spendingLine is a payment, or the sum of several, as it is printed and exported.
type spendingLine struct {
	At       string `json:"at"`
	Host     string `json:"host"`
	Amount   string `json:"amount"`
	State    string `json:"state"`        // "paid" or "open"
	ID       string `json:"id,omitempty"` // "": several
	Payments int    `json:"payments"`
	Until    string `json:"until,omitempty"` // when the last of several began
}

func spendings(w *payer.Wallet, host string) ([]spendingLine, error) {
	all, err := w.Spendings()
	lines := []spendingLine{}
	for _, s := range all {
		if host != "" && !strings.EqualFold(host, s.Host) {
			continue
		}
		state := "paid"
		if !s.Settled {
			state = "open"
		}
		lines = append(lines, spendingLine{moment(s.At), clean(s.Host), s.Amount.String(), state, s.ID, s.Payments, moment(s.Until)})
	}
	return lines, err
}

func spendingTable(out io.Writer, all []spendingLine) {
	if len(all) == 0 {
		row(out, "There are no payments.")
		return
	}
	row(out, "AT", "HOST", "AMOUNT", "STATE")
	for _, s := range all {
		if s.Until != "" {
			s.State = fmt.Sprintf("%s, %d payments until %s", s.State, s.Payments, s.Until)
		}
		row(out, s.At, s.Host, s.Amount, s.State)
	}
}

func (e Environment) maxCommand() *cobra.Command {
	return &cobra.Command{
		Use: "max HOST AMOUNT", Short: "Says how much one request to a host may cost; 0 forgets it",
		Args: exactly(2, "the host and the amount behind max, such as: paydoor wallet max api.example.com 100"),
		RunE: func(cmd *cobra.Command, args []string) error {
			most, err := amount.Parse(args[1])
			if err != nil {
				return errors.New("the amount is a whole number of base units, such as 100")
			}
			if err := checkHost(args[0]); err != nil {
				return err
			}
			return e.with(cmd, func(w *payer.Wallet, _ config) error { return w.SetMax(args[0], most) })
		},
	}
}

// checkHost refuses what is no name of a host, such as a URL, whose maximum would never hold for any.
func checkHost(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return nil
	}
	if u, err := url.Parse("http://" + name); err == nil && name != "" && u.Host == name && u.Hostname() == name {
		return nil
	}
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		return fmt.Errorf("the host is named alone, without scheme, port and path: %s", clean(u.Hostname()))
	}
	return errors.New("the host is named alone, without scheme, port and path: api.example.com")
}

func unlessZero(a amount.Amount) string {
	if a == 0 {
		return ""
	}
	return a.String()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// moment writes a time to the second, in UTC; "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func printJSON(cmd *cobra.Command, v any) error {
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetIndent("", "  ")
	return out.Encode(v)
}

func table(cmd *cobra.Command, write func(io.Writer)) error {
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	write(out)
	return out.Flush()
}

// row writes one line of a table. Its errors come back from Flush.
func row(out io.Writer, values ...string) { _, _ = fmt.Fprintln(out, strings.Join(values, "\t")) }
