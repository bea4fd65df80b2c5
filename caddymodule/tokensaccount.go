package caddymodule

// This file finds out which account a command is about, without the token ever being an argument or leaving this process.

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/paydoor/paydoor/paywall"
)

func addAccountFlags(cmd *cobra.Command) {
	cmd.Flags().String("account", "", "The account, 64 hex digits as in logs, instead of a token")
	cmd.Flags().String("token-file", "", "The file that holds the token; default: stdin")
	cmd.Flags().String("realm", "", "The realm of the paywall, if it has one")
}

// account returns the account that the flags name, as 64 hex digits, or that of a token from a file or stdin.
func account(cmd *cobra.Command) (string, error) {
	named, file, realm := option(cmd, "account"), option(cmd, "token-file"), option(cmd, "realm")
	if named != "" {
		if file != "" || realm != "" {
			return "", errors.New("--account already says which account: leave --token-file and --realm out")
		}
		b, err := hex.DecodeString(named)
		if err != nil || len(b) != 32 {
			return "", errors.New("--account takes 64 hex digits; a token goes to stdin, or into a file that --token-file names")
		}
		return hex.EncodeToString(b), nil
	}
	text, err := readToken(cmd, file)
	if err != nil {
		return "", err
	}
	id, err := paywall.AccountOf(text, realm)
	if err != nil {
		return "", fmt.Errorf("that is no token: it is %w", err)
	}
	return hex.EncodeToString(id[:]), nil
}

// longestToken is more than a token has, with a line end behind it.
const longestToken = 4096

func readToken(cmd *cobra.Command, file string) (_ string, err error) {
	in := cmd.InOrStdin()
	if file != "" && file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("reading the token: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	} else if terminal, ok := in.(*os.File); ok && term.IsTerminal(int(terminal.Fd())) {
		cmd.PrintErr("Pay-Token: ")
		b, err := term.ReadPassword(int(terminal.Fd()))
		cmd.PrintErrln()
		return strings.TrimSpace(string(b)), err
	}
	b, err := io.ReadAll(io.LimitReader(in, longestToken))
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// option returns the text of a flag that the command has.
func option(cmd *cobra.Command, name string) string { return cmd.Flags().Lookup(name).Value.String() }
