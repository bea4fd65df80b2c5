package caddymodule

// This file is `paydoor tokens`: what an operator does about balances, on the running server and on a stopped one's directory. Each
// command has a file of its own; docs/commands.md shows them all.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "tokens",
		Usage: "<command>",
		Short: "Shows, audits and changes the balances of tokens",
		Long: `
Shows, audits, changes, exports and backs up what tokens have, through the admin endpoint of the running server; and restores and checks
the data directory of a stopped one.

A token is never an argument, because other users see arguments in the list of processes: it is read from stdin or from a file.
Amounts are whole numbers of the asset's smallest units, as in prices and Pay-Balance.`,
		CobraFunc: addTokensCommands,
	})
}

func addTokensCommands(tokens *cobra.Command) {
	tokens.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	tokens.Args = plain(cobra.NoArgs, "there is no such command: run paydoor tokens --help")
	tokens.SetFlagErrorFunc(flagMistake)
	tokens.AddCommand(
		auditCommand(), showCommand(), adjustCommand("credit"), adjustCommand("debit"), exportCommand(), backupCommand(),
		restoreCommand(), checkCommand(),
	)
}

// exitStatus is the status of a command that ends with an error; others end with 1.
type exitStatus struct {
	error
	status int
}

// ending makes of f what cobra runs: errors go to stderr as one line, and to the exit status.
func ending(f func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := f(cmd, args)
		if err == nil {
			return nil
		}
		cmd.SilenceErrors = true
		if text := err.Error(); text != "" { // the command was asked to be silent
			_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "paydoor: %s\n", text) // there is nowhere else to say it
		}
		if ended, ok := errors.AsType[exitStatus](err); ok && ended.status > 1 {
			return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return ended.status, nil })(cmd, args)
		}
		return err
	}
}

// plain is a check of arguments whose error does not repeat them: one may be a token.
func plain(check cobra.PositionalArgs, text string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check(cmd, args) != nil {
			return errors.New(text)
		}
		return nil
	}
}

// flagMistake does not repeat a flag that does not exist: tokens may begin with a dash, too.
func flagMistake(cmd *cobra.Command, err error) error {
	if strings.HasPrefix(err.Error(), "unknown ") {
		return fmt.Errorf("there is no such flag: run %s --help; amounts are positive, and %s", cmd.CommandPath(), tokenArgument)
	}
	return err
}

const tokenArgument = "a token is no argument, because other users could see it there: type it on stdin, or name a file with --token-file"

// addOutputFlag adds --json.
func addOutputFlag(cmd *cobra.Command) { cmd.Flags().Bool("json", false, "Print JSON") }

// output prints value as JSON with --json, else what table writes, in columns.
func output(cmd *cobra.Command, value any, table func(w io.Writer)) error {
	if asked, err := cmd.Flags().GetBool("json"); err != nil || asked {
		out := json.NewEncoder(cmd.OutOrStdout())
		out.SetIndent("", "  ")
		return errors.Join(err, out.Encode(value))
	}
	columns := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	table(columns)
	return columns.Flush()
}

// row writes one line of a table. Its errors come back from Flush.
func row(w io.Writer, name string, values ...any) {
	_, _ = fmt.Fprint(w, name)
	for _, value := range values {
		_, _ = fmt.Fprint(w, "\t", value)
	}
	_, _ = fmt.Fprintln(w)
}

// units says a number of base units in both ways: 1500 (0.0000015 USD).
func units(digits string, asset *Asset) string {
	if asset == nil {
		return digits
	}
	return digits + " (" + decimal(digits, int(asset.Scale)) + " " + asset.Code + ")"
}

// decimal puts the point into the digits of a number of base units.
func decimal(digits string, scale int) string {
	for len(digits) <= scale {
		digits = "0" + digits
	}
	whole, rest := digits[:len(digits)-scale], digits[len(digits)-scale:]
	for len(rest) > 0 && rest[len(rest)-1] == '0' {
		rest = rest[:len(rest)-1]
	}
	if rest == "" {
		return whole
	}
	return whole + "." + rest
}
