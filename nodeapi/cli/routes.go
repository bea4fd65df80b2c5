package cli

// This file is `paydoor node routes`: where packets go.

import (
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

func (e Environment) routesCommand() *cobra.Command {
	setAll := e.pairsCommand("Replaces all routes that were set by hand", "/routes/static", "PREFIX", "ACCOUNT", route)
	list := e.tableCommand("Lists all routes: configured, learned, and those of accounts", "/routes", routesTable)
	return group("routes", "Shows and changes where packets go", list, e.routesSetCommand(), setAll, e.routesDeleteCommand())
}

func route(prefix, account string) (string, string, error) {
	if prefix == everything {
		prefix = ""
	}
	account, err := plainText(account)
	return prefix, account, err
}

// routesTable writes {prefix: account}, or the routes of the Java connector, which are objects.
func routesTable(w io.Writer, body []byte) error {
	list, err := decodeList(body)
	if err != nil {
		return mapTable(w, body, "PREFIX", "ACCOUNT")
	}
	row(w, "PREFIX", "ACCOUNT")
	for _, r := range sortedBy(list, "routePrefix") {
		prefix := r.text("routePrefix")
		if prefix == "" {
			prefix = everything
		}
		row(w, prefix, r.text("nextHopAccountId"))
	}
	return nil
}

func (e Environment) routesSetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "set PREFIX --account NAME", Short: "Sends what is addressed to the prefix, and below it, to an account",
		Args: exactly(1, "the prefix of the route behind set, such as test.bob"),
		RunE: func(cmd *cobra.Command, args []string) error {
			account := option(cmd, "account")
			if account == "" {
				account = option(cmd, "destination")
			}
			if account == "" {
				return errors.New("write which account the packets go to: --account NAME")
			}
			path, err := staticRoute(args[0])
			if err != nil {
				return err
			}
			return e.changeRoute(cmd, request{
				method: http.MethodPut, path: path, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte(account),
			}, clean(args[0]), clean(account))
		},
	}
	cmd.Flags().String("account", "", "The account that the packets go to")
	cmd.Flags().String("destination", "", "The same, as ilp-cli calls it")
	return cmd
}

func (e Environment) routesDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete PREFIX", Short: "Deletes a route that was set by hand",
		Args: exactly(1, "the prefix of the route behind delete"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := staticRoute(args[0])
			if err != nil {
				return err
			}
			return e.changeRoute(cmd, request{method: http.MethodDelete, path: path}, "deleted", clean(args[0]))
		},
	}
}

func staticRoute(prefix string) (string, error) {
	if prefix == "" || prefix == everything {
		return "", errors.New("the route for everything has no path of its own: set it with routes set-all --pair '*' ACCOUNT, with all others")
	}
	return "/routes/static/" + url.PathEscape(prefix), nil
}

// changeRoute makes the change and says so in one line. Nodes answer with a text, an object or nothing.
func (e Environment) changeRoute(cmd *cobra.Command, r request, words ...string) error {
	c, err := e.client(cmd, adminToken)
	if err != nil {
		return err
	}
	defer c.close()
	a, err := c.ask(cmd.Context(), r)
	if err != nil {
		return err
	}
	if _, err := decode(a.body); err != nil {
		a.body = nil // --json prints JSON or nothing
	}
	return output(cmd, a.body, func(w io.Writer) error { row(w, words...); return nil })
}
