package cli

// This file is `paydoor wallet export`: all payments, for other programs.

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/payer"
)

func (e Environment) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export [--format json|csv] [--output FILE]", Short: "Writes all payments as JSON lines or CSV",
		Args: exactly(0, "nothing behind export; --output names a file"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := map[string]func(io.Writer, []spendingLine) error{"json": exportJSON, "csv": exportCSV}[option(cmd, "format")]
			if !ok {
				return errors.New("--format is json or csv")
			}
			return e.with(cmd, func(w *payer.Wallet, _ config) error {
				all, err := spendings(w, "")
				if err != nil {
					return err
				}
				if name := option(cmd, "output"); name != "" {
					return toNewFile(name, func(out io.Writer) error { return write(out, all) })
				}
				return write(cmd.OutOrStdout(), all)
			})
		},
	}
	cmd.Flags().String("format", "json", "json or csv")
	cmd.Flags().String("output", "", "A new file, with mode 0600; default: stdout")
	return cmd
}

func exportJSON(out io.Writer, all []spendingLine) error {
	lines := json.NewEncoder(out)
	for _, s := range all {
		if err := lines.Encode(s); err != nil {
			return err
		}
	}
	return nil
}

func exportCSV(out io.Writer, all []spendingLine) error {
	lines := csv.NewWriter(out)
	_ = lines.Write([]string{"at", "host", "amount", "state", "id", "payments", "until"}) // its error comes back from Error, as all
	for _, s := range all {
		_ = lines.Write([]string{s.At, s.Host, s.Amount, s.State, s.ID, strconv.Itoa(s.Payments), s.Until})
	}
	lines.Flush()
	return lines.Error()
}

// toNewFile writes a file that must not be there, and leaves none that is not whole.
func toNewFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
