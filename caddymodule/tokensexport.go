package caddymodule

// This file is `paydoor tokens export`: all accounts as JSON lines or CSV.

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [--format json|csv] [--history] [--output FILE] [--address ADMIN]",
		Short: "Prints all accounts and their balances",
		Long: `
Prints all accounts of the running server with their balances, as JSON lines or as CSV; with --history each is followed by its events. It
holds up nothing, so each account is as it was when it was read: for one moment of everything, make a backup.`,
		Args: plain(cobra.NoArgs, "export takes no arguments: name a file with --output"),
		RunE: ending(runExport),
	}
	cmd.Flags().String("format", "json", "json (one object a line) or csv")
	cmd.Flags().Bool("history", false, "Also print the events of each account")
	cmd.Flags().StringP("output", "o", "", "Write to this new file, with mode 0600, instead of stdout")
	addAddressFlags(cmd)
	return cmd
}

func runExport(cmd *cobra.Command, _ []string) error {
	format := option(cmd, "format")
	if format != "json" && format != "csv" {
		return errors.New("the format is json or csv")
	}
	path := "/paydoor/accounts"
	history := option(cmd, "history") == "true"
	if history {
		path += "?history=1"
	}
	export := func(out io.Writer) (err error) {
		response, err := ask(cmd, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, response.Body.Close()) }()
		if err := exportTo(out, response.Body, format, history); err != nil {
			return fmt.Errorf("the export is not complete: %w", err)
		}
		return nil
	}
	file := cmd.Flags().Lookup("output")
	if !file.Changed {
		return export(cmd.OutOrStdout())
	}
	if err := checkNewFile(file.Value.String()); err != nil {
		return err
	}
	return writeWhole(file.Value.String(), false, export)
}

// exportTo writes the server's lines in the format. The server cuts the connection if it cannot go on, which is an error here.
func exportTo(out io.Writer, in io.Reader, format string, history bool) error {
	buffered := bufio.NewWriter(out)
	if format == "json" {
		if _, err := io.Copy(buffered, in); err != nil {
			return err
		}
		return buffered.Flush()
	}
	w := csv.NewWriter(buffered)
	header := []string{"account", "balance", "asset", "scale"}
	if history {
		header = append(header, "at", "kind", "sequence", "amount", "count", "condition", "reason", "id")
	}
	if err := w.Write(header); err != nil {
		return err
	}
	for lines := json.NewDecoder(in); ; {
		var line struct {
			exportedAccount
			eventAnswer
		}
		switch err := lines.Decode(&line); {
		case err == io.EOF:
			w.Flush()
			return errors.Join(w.Error(), buffered.Flush())
		case err != nil:
			return err
		}
		fields := []string{line.Account, line.Balance, line.Asset, ""}
		if line.Balance != "" {
			fields[3] = strconv.Itoa(int(line.Scale))
		}
		if history {
			fields = append(fields, line.fields()...)
		}
		if err := w.Write(fields); err != nil {
			return err
		}
	}
}

// fields are the columns of an event, empty for the line of an account.
func (e *eventAnswer) fields() []string {
	if e.Kind == "" {
		return make([]string, 8)
	}
	reason := e.Reason
	if e.foldedAnswer != nil {
		reason = e.about()
	}
	return []string{
		e.At.Format(time.RFC3339Nano), e.Kind, strconv.FormatUint(e.Sequence, 10), e.Amount, strconv.FormatUint(e.Count, 10), e.Condition, reason, e.ID,
	}
}
