package cli

// This file shows the tables that are one object, and reads those that are set as a whole: --pair KEY VALUE, or --pair KEY=VALUE, as often as
// there are entries.

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// entry checks one pair, and returns what is sent for it.
type entry func(key, value string) (sentKey, sentValue string, err error)

// tableCommand makes a list command, which shows what the node answers at path.
func (e Environment) tableCommand(short, path string, write func(w io.Writer, body []byte) error) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: short,
		Args: exactly(0, "nothing behind list"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client(cmd, adminIfAny) // some nodes tell everybody
			if err != nil {
				return err
			}
			defer c.close()
			a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: path})
			if err != nil {
				return err
			}
			return output(cmd, a.body, func(w io.Writer) error { return write(w, a.body) })
		},
	}
}

// pairsCommand makes a set-all command. keys and values say what a pair consists of.
func (e Environment) pairsCommand(short, path, keys, values string, check entry) *cobra.Command {
	cmd := &cobra.Command{
		Use: fmt.Sprintf("set-all --pair %s %s [--pair …]", keys, values), Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			table, err := pairs(cmd, args, keys, values, check)
			if err != nil {
				return err
			}
			c, err := e.client(cmd, adminToken)
			if err != nil {
				return err
			}
			defer c.close()
			r, err := sendJSON(http.MethodPut, path, table)
			if err != nil {
				return err
			}
			a, err := c.ask(cmd.Context(), r)
			if err != nil {
				return err
			}
			return output(cmd, a.body, func(w io.Writer) error { return mapTable(w, a.body, keys, values) })
		},
	}
	cmd.Flags().StringArray("pair", nil, fmt.Sprintf("An entry: %s %s, or %s=%s", keys, values, keys, values))
	cmd.Flags().Bool("none", false, "Leave the table empty")
	return cmd
}

// pairs puts the flags together with the arguments: each --pair without = takes the next argument as its value.
func pairs(cmd *cobra.Command, args []string, keys, values string, check entry) (map[string]string, error) {
	given, err := cmd.Flags().GetStringArray("pair")
	if err != nil {
		return nil, err
	}
	if (len(given) == 0) != (option(cmd, "none") == "true") {
		return nil, fmt.Errorf("the whole table is replaced: write --pair %s %s for each entry, or --none for an empty one", keys, values)
	}
	table := make(map[string]string, len(given))
	for _, pair := range given {
		key, value, whole := strings.Cut(pair, "=")
		if !whole {
			if len(args) == 0 {
				return nil, fmt.Errorf("--pair %s has no value: write --pair %s %s", clean(pair), keys, values)
			}
			value, args = args[0], args[1:]
		}
		sentKey, sentValue, err := check(key, value)
		if err != nil {
			return nil, fmt.Errorf("--pair %s %s: %w", clean(key), clean(value), err)
		}
		if _, twice := table[sentKey]; twice {
			return nil, fmt.Errorf("--pair %s is there twice", clean(key))
		}
		table[sentKey] = sentValue
	}
	if len(args) > 0 {
		return nil, fmt.Errorf("%s belongs to no --pair: write --pair before each entry", clean(args[0]))
	}
	return table, nil
}

// everything is how the prefix of all addresses is written, as in the Caddyfile; in JSON it is "".
const everything = "*"

// mapTable writes an object as a table of two columns.
func mapTable(w io.Writer, body []byte, keys, values string) error {
	table, err := decodeRecord(body)
	if err != nil {
		return err
	}
	if len(table) == 0 {
		row(w, "The table is empty.")
		return nil
	}
	row(w, keys, values)
	for _, name := range table.names() {
		key := clean(name)
		if key == "" {
			key = everything
		}
		row(w, key, table.text(name))
	}
	return nil
}
