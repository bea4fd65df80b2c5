package cli

// This file is `paydoor node rates` and `settlement-engines`: what belongs to assets.

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

func (e Environment) ratesCommand() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "Lists the exchange rates",
		Args: exactly(0, "nothing behind list"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client(cmd, adminIfAny) // some nodes tell everybody
			if err != nil {
				return err
			}
			defer c.close()
			a, err := c.ask(cmd.Context(), request{method: http.MethodGet, path: "/rates"})
			if err != nil {
				return err
			}
			return output(cmd, a.body, func(w io.Writer) error { return mapTable(w, a.body, "ASSET", "RATE") })
		},
	}
	setAll := e.pairsCommand("Replaces all exchange rates", "/rates", "ASSET", "RATE", rate)
	return group("rates", "Shows and changes the exchange rates", list, setAll)
}

// decimalForm is a rate. It is sent as it is written, so that nobody rounds it.
var decimalForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

func rate(code, text string) (string, string, error) {
	if !decimalForm.MatchString(text) || strings.Trim(text, "0.") == "" {
		return "", "", errors.New("a rate is a decimal number above 0, such as 1.25: what one of the asset is worth")
	}
	return code, text, nil
}

func (e Environment) enginesCommand() *cobra.Command {
	return group("settlement-engines", "Sets which settlement engine an asset has",
		e.pairsCommand("Replaces the settlement engines of all assets", "/settlement/engines", "ASSET", "URL", engine))
}

func engine(code, text string) (string, string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", "", errors.New("an engine is an http: or https: URL")
	}
	return code, text, nil
}
