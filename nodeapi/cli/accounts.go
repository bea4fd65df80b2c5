package cli

// This file is `paydoor node accounts list`, `info` and `delete`.

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/cobra"
)

func (e Environment) accountsCommand() *cobra.Command {
	return group("accounts", "Shows and changes the accounts of the node",
		e.listCommand(), e.infoCommand(), e.createCommand(), e.updateCommand(), e.updateSettingsCommand(), e.deleteCommand(),
		e.balanceCommand(), e.paymentsCommand(), e.incomingCommand(),
	)
}

// accountPath is the path of an account, and of what is below it.
func accountPath(name, below string) string { return "/accounts/" + url.PathEscape(name) + below }

func (e Environment) listCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Lists all accounts",
		Args: exactly(0, "nothing behind list; info NAME shows one account"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client(cmd, adminToken)
			if err != nil {
				return err
			}
			defer c.close()
			a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: "/accounts"})
			if err != nil {
				return err
			}
			return output(cmd, a.body, func(w io.Writer) error { return accountsTable(w, a.body) })
		},
	}
}

func accountsTable(w io.Writer, body []byte) error {
	accounts, err := decodeList(body)
	if err != nil {
		return err
	}
	if len(accounts) == 0 {
		row(w, "There are no accounts: paydoor node accounts create makes one.")
		return nil
	}
	row(w, "ACCOUNT", "RELATION", "ASSET", "ADDRESS", "LINK")
	for _, a := range accounts {
		row(w, a.text("username", "accountId"), a.text("routing_relation", "accountRelationship"), assetOf(a), a.text("ilp_address"), linkOf(a))
	}
	return nil
}

func assetOf(a record) string {
	return a.text("asset_code", "assetCode") + " " + a.text("asset_scale", "assetScale")
}

// linkOf is how packets get to the account.
func linkOf(a record) string {
	if link := a.text("ilp_over_btp_url", "ilp_over_http_url"); link != "" {
		return link
	}
	if link := a.inside("customSettings").text("ilpOverHttp.outgoing.url"); link != "" {
		return link
	}
	return a.text("linkType")
}

func (e Environment) infoCommand() *cobra.Command {
	return &cobra.Command{
		Use: "info NAME", Short: "Shows the settings of an account",
		Args: account("the name of the account behind info"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.client(cmd, holder)
			if err != nil {
				return err
			}
			defer c.close()
			return c.showAccount(cmd, request{method: http.MethodGet, path: accountPath(args[0], "")})
		},
	}
}

// showAccount asks for something that is answered with an account, and prints it.
func (c *client) showAccount(cmd *cobra.Command, r request) error {
	a, err := c.ask(cmd.Context(), r)
	if err != nil {
		return err
	}
	return output(cmd, a.body, func(w io.Writer) error { return accountTable(w, a.body) })
}

// firstRows are the lines that an account begins with; all others follow by name.
var firstRows = []struct {
	title string
	names []string
}{
	{"account", []string{"username", "accountId"}},
	{"id", []string{"id"}},
	{"relation", []string{"routing_relation", "accountRelationship"}},
	{"address", []string{"ilp_address"}},
}

// accountTable writes what is set.
func accountTable(w io.Writer, body []byte) error {
	a, err := decodeRecord(body)
	if err != nil {
		return err
	}
	shown := []string{"asset_code", "asset_scale", "assetCode", "assetScale", "_links"}
	for _, first := range firstRows {
		named(w, first.title, a.text(first.names...))
		shown = append(shown, first.names...)
	}
	row(w, "asset", assetOf(a))
	for _, name := range shown {
		delete(a, name)
	}
	settingsTable(w, "", withoutSecrets(a).(map[string]any))
	return nil
}

// settingsTable writes members by name, those of objects inside with the names of both.
func settingsTable(w io.Writer, prefix string, settings record) {
	for _, name := range settings.names() {
		if inside, ok := settings[name].(map[string]any); ok {
			settingsTable(w, prefix+clean(name)+".", inside)
			continue
		}
		named(w, prefix+clean(name), settings.text(name))
	}
}

func (e Environment) deleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Deletes an account",
		Args: account("the name of the account behind delete"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.client(cmd, adminToken)
			if err != nil {
				return err
			}
			defer c.close()
			a, err := c.ask(cmd.Context(), request{method: http.MethodDelete, path: accountPath(args[0], "")})
			if err != nil {
				return err
			}
			return output(cmd, a.body, func(w io.Writer) error { row(w, "deleted", clean(args[0])); return nil })
		},
	}
}

// sendJSON is a request with a body of JSON.
func sendJSON(method, path string, body any) (request, error) {
	return sendAs("application/json", method, path, body)
}

// sendAs is sendJSON with a media type that is a kind of JSON.
func sendAs(media, method, path string, body any) (request, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return request{}, fmt.Errorf("writing the request: %w", err)
	}
	return request{method: method, path: path, header: http.Header{"Content-Type": {media}}, body: b}, nil
}

// sortedBy returns the records in the order of one of their members.
func sortedBy(list []record, names ...string) []record {
	slices.SortStableFunc(list, func(a, b record) int {
		x, y := a.text(names...), b.text(names...)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return list
}
