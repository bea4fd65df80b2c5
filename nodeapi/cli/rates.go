package cli

// This file is `paydoor node rates` and `settlement-engines`: what belongs to assets.

import (
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

func (e Environment) ratesCommand() *cobra.Command {
	list := e.tableCommand("Lists the exchange rates", "/rates", func(w io.Writer, body []byte) error { return mapTable(w, body, "ASSET", "RATE") })
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
