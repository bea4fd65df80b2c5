package cli

// This file has the settings of an account, each as a flag: those of interledger-rs, by its command's names.

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paydoor/paydoor/amount"
)

// field is one setting. Its flag is its name with dashes.
type field struct {
	name  string // in JSON
	read  func(text string) (string, error)
	holds bool // whether the account's holder may change it, too
	usage string
}

// fields are the settings beside the username.
var fields = []field{
	{"asset_code", plainText, false, "What the account counts, such as USD"},
	{"asset_scale", wholeUpTo(math.MaxUint8), false, "How many places the asset has: with 9, an amount of 1 is a billionth"},
	{"ilp_address", plainText, false, "Its ILP address, if not the node's with the name behind it"},
	{"routing_relation", relation, false, "Peer, Parent, Child or NonRoutingAccount"},
	{"max_packet_amount", wholeUpTo(math.MaxUint64), false, "The largest amount of one packet from it"},
	{"min_balance", signed, false, "How low its balance may get: -1000 gives it credit of 1000"},
	{"ilp_over_http_url", plainText, true, "Where packets to it are posted"},
	{"ilp_over_http_incoming_token", nil, true, "The bearer token that it shows"},
	{"ilp_over_http_outgoing_token", nil, true, "The bearer token that it is shown"},
	{"ilp_over_btp_url", plainText, true, "The BTP server that the node dials: btp+wss://HOST/PATH"},
	{"ilp_over_btp_incoming_token", nil, true, "The BTP token that it shows when it dials"},
	{"ilp_over_btp_outgoing_token", nil, true, "The BTP token that it is shown when the node dials"},
	{"settlement_engine_url", plainText, false, "Its settlement engine"},
	{"settle_threshold", signed, true, "The balance from which on it is settled with"},
	{"settle_to", signed, true, "The balance that a settlement leaves"},
	{"round_trip_time", wholeUpTo(math.MaxUint32), false, "How many milliseconds packets to it and back take"},
	{"amount_per_minute_limit", wholeUpTo(math.MaxUint64), false, "How much it may send in a minute"},
	{"packets_per_minute_limit", wholeUpTo(math.MaxUint32), false, "How many packets it may send in a minute"},
}

func (f field) flag() string { return strings.ReplaceAll(f.name, "_", "-") }

// secret says whether the field is one: it has no form of its own.
func (f field) secret() bool { return f.read == nil }

// addFieldFlags adds the flags of the settings, or of those alone that the holder may change.
func addFieldFlags(cmd *cobra.Command, all bool) {
	for _, f := range fields {
		switch {
		case !all && !f.holds:
		case f.secret():
			cmd.Flags().String(f.flag(), "", f.usage+`: "-" reads it from stdin, env:NAME takes it from a variable`)
			cmd.Flags().String(f.flag()+"-file", "", "The file with it")
		default:
			cmd.Flags().String(f.flag(), "", f.usage)
		}
	}
}

// settings returns what the flags say, as the JSON of the API, in which numbers are texts. Secrets are hidden from now on.
func (e Environment) settings(cmd *cobra.Command, c *client) (record, error) {
	if err := checkStdin(cmd); err != nil {
		return nil, err
	}
	said := record{}
	for _, f := range fields {
		value, given, err := e.setting(cmd, f)
		if err != nil {
			return nil, err
		}
		if !given {
			continue
		}
		if f.secret() {
			c.hide(value)
		}
		said[f.name] = value
	}
	return said, nil
}

// checkStdin makes sure that stdin is read for one secret at most.
func checkStdin(cmd *cobra.Command) error {
	readers := 0
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if strings.Contains(flag.Name, "-token") && flag.Value.String() == "-" {
			readers++
		}
	})
	if readers > 1 {
		return errors.New("only one secret can come from stdin: use files or env:NAME for the others")
	}
	return nil
}

func (e Environment) setting(cmd *cobra.Command, f field) (value string, given bool, err error) {
	flag := cmd.Flags().Lookup(f.flag())
	if flag == nil {
		return "", false, nil
	}
	if f.secret() {
		if file := cmd.Flags().Lookup(f.flag() + "-file"); file.Changed {
			if flag.Changed {
				return "", false, fmt.Errorf("--%s and --%s are two secrets: leave one out", f.flag(), file.Name)
			}
			value, err = secretFrom(cmd, "--"+file.Name, file.Value.String())
			return value, true, err
		}
	}
	if !flag.Changed {
		return "", false, nil
	}
	if f.secret() {
		value, err = e.secret(cmd, f.flag(), flag.Value.String())
		return value, true, err
	}
	value, err = f.read(flag.Value.String())
	if err != nil {
		return "", false, fmt.Errorf("--%s %s: %w", f.flag(), clean(flag.Value.String()), err)
	}
	return value, true, nil
}

func plainText(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", errors.New("write a value, or leave the flag out; update takes a setting away with --unset")
	}
	return text, nil
}

// wholeUpTo is the form of numbers from 0 to most.
func wholeUpTo(most uint64) func(string) (string, error) {
	return func(text string) (string, error) {
		a, err := amount.Parse(text)
		if err != nil || uint64(a) > most {
			return "", fmt.Errorf("write a whole number from 0 to %d", most)
		}
		return a.String(), nil
	}
}

// signed is the form of balances.
func signed(text string) (string, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return "", errors.New("write a whole number, such as 1000 or -1000")
	}
	return strconv.FormatInt(n, 10), nil
}

func relation(text string) (string, error) {
	for _, known := range []string{"Peer", "Parent", "Child", "NonRoutingAccount"} {
		if strings.EqualFold(text, known) {
			return known, nil
		}
	}
	return "", errors.New("write Peer, Parent, Child or NonRoutingAccount")
}
