package cli

// This file is what the commands take from the process and from the configuration.

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/payer"
)

// Environment is what the commands take from the process. Getenv, Now and Random are required.
type Environment struct {
	Getenv    func(string) string
	Dir       string // of the wallet, if neither --wallet nor PAYDOOR_WALLET says so
	Now       func() time.Time
	Random    io.Reader
	Transport http.RoundTripper    // for requests; nil: one of its own for each command
	Terminal  func(io.Writer) bool // whether it is one; nil: none is
}

// The variables that the commands read.
const (
	walletVariable = "PAYDOOR_WALLET"
	uplinkVariable = "PAYDOOR_UPLINK"
	tokenVariable  = "PAYDOOR_UPLINK_TOKEN"
	nodeVariable   = "PAYDOOR_NODE"
)

const defaultNode = "http://localhost:7770"

// dir returns the wallet's directory.
func (e Environment) dir(cmd *cobra.Command) (string, error) {
	dir := option(cmd, "wallet")
	if dir == "" {
		dir = e.Getenv(walletVariable)
	}
	if dir == "" {
		dir = e.Dir
	}
	if dir == "" {
		return "", fmt.Errorf("there is no directory for the wallet: name one with --wallet or %s", walletVariable)
	}
	return dir, nil
}

// open reads the configuration and opens the wallet.
func (e Environment) open(cmd *cobra.Command) (*payer.Wallet, config, error) {
	dir, err := e.dir(cmd)
	if err != nil {
		return nil, config{}, err
	}
	c, err := readConfig(filepath.Join(dir, configFile))
	if err != nil {
		return nil, config{}, err
	}
	w, err := payer.OpenWallet(payer.WalletConfig{Dir: dir, Now: e.Now, Random: e.Random, Limits: payer.Limits{
		PerRequest: amount.Amount(c.PerRequest), PerHost: amount.Amount(c.PerHost), PerDay: amount.Amount(c.PerDay), NeedMax: true,
	}})
	return w, c, err
}

// option returns the text of a flag that the command has.
func option(cmd *cobra.Command, name string) string { return cmd.Flag(name).Value.String() }

// chosen says whether a flag without a value was given.
func chosen(cmd *cobra.Command, name string) bool { return option(cmd, name) == "true" }

// clean makes text from elsewhere safe for a terminal: what is not printable becomes a question mark.
func clean(s string) string { return strings.ReplaceAll(cleanLines(s), "\n", "?") }

// cleanLines is clean for a message of several lines.
func cleanLines(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' {
			return '?'
		}
		return r
	}, s)
}
