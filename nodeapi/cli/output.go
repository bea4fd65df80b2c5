package cli

// This file prints: tables for people, the node's JSON for programs, and secrets for nobody.

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// output prints what the node answered: as JSON with --json, else what table writes, in columns.
func output(cmd *cobra.Command, body []byte, table func(w io.Writer) error) error {
	if !asJSON(cmd) {
		return columns(cmd.OutOrStdout(), table)
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil // an answer such as 204
	}
	v, err := decode(body)
	if err != nil {
		return err
	}
	b, err := marshal(withoutSecrets(v), "  ")
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(b)
	return err
}

// asJSON says whether --json was given.
func asJSON(cmd *cobra.Command) bool { return option(cmd, "json") == "true" }

func columns(w io.Writer, table func(w io.Writer) error) error {
	aligned := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	err := table(aligned)
	return errors.Join(err, aligned.Flush())
}

// row writes one line of a table, without spaces behind the last value that is not empty. Its errors come back from Flush.
func row(w io.Writer, values ...string) {
	for len(values) > 1 && values[len(values)-1] == "" {
		values = values[:len(values)-1]
	}
	_, _ = fmt.Fprintln(w, strings.Join(values, "\t"))
}

// named writes a line about something that is there.
func named(w io.Writer, name, value string) {
	if value != "" {
		row(w, name, value)
	}
}

// withoutSecrets returns v with SECRET for every text that is a secret by its name. Nodes do so themselves; this is for those that do not.
func withoutSecrets(v any) any {
	switch v := v.(type) {
	case record:
		return withoutSecrets(map[string]any(v))
	case map[string]any:
		clear := make(map[string]any, len(v))
		for name, value := range v {
			if text, ok := value.(string); ok && text != "" && isSecret(name) {
				value = "SECRET"
			}
			clear[name] = withoutSecrets(value)
		}
		return clear
	case []any:
		clear := make([]any, len(v))
		for i, value := range v {
			clear[i] = withoutSecrets(value)
		}
		return clear
	}
	return v
}

// isSecret says whether what is called so is a secret: ilp_over_http_incoming_token, ilpOverHttp.incoming.jwt.shared_secret, rawToken.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	for _, end := range []string{"token", "secret", "password"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}
