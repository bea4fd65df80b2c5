package cli

// This file finds the token that a command shows. No command needs it as an argument, where other users could see it.

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/paydoor/paydoor/internal/loopback"
)

// tokenKind is whose token a command needs.
type tokenKind struct {
	variable  string
	generated bool   // look for the file that the node has made
	needed    bool   // else the node is asked without one
	wrong     string // what to do when the node refuses it
}

var (
	adminToken = tokenKind{adminVariable, true, true,
		"the token is not this node's admin token: set " + adminVariable + ", or name the file that holds it with --token-file"}
	adminIfAny = tokenKind{adminVariable, true, false, adminToken.wrong}
	holder     = tokenKind{adminVariable, true, true,
		"the token is neither this node's admin token nor this account's: set " + adminVariable + ", or name the file that holds it with --token-file"}
	accountToken = tokenKind{accountVariable, false, true,
		"the token is not this account's ilp_over_http_incoming_token, or there is no account of this name: set " + accountVariable + ", or name the file that holds it with --token-file"}
)

// generatedFile is the file in the data directory with the admin token that the node has made.
const generatedFile = "admin.token"

// longestSecret is more than a secret has, with a line end behind it.
const longestSecret = 8192

// token returns the token of the kind: from --token of commands that have it, --token-file, the variable, or the file of the node.
func (e Environment) token(cmd *cobra.Command, kind tokenKind, node *url.URL) (string, error) {
	if flag := cmd.Flags().Lookup("token"); flag != nil && flag.Changed {
		if cmd.Flag("token-file").Changed {
			return "", errors.New("--token and --token-file are two tokens: leave one out")
		}
		return e.secret(cmd, "token", flag.Value.String())
	}
	if file := option(cmd, "token-file"); file != "" {
		return secretFrom(cmd, "--token-file", file)
	}
	if token := strings.TrimSpace(e.Getenv(kind.variable)); token != "" {
		return checkSecret(kind.variable, token)
	}
	if kind.generated && loopback.Host(node.Hostname()) {
		token, err := e.generatedToken()
		if token != "" || err != nil && kind.needed {
			return token, err
		}
	}
	if !kind.needed {
		return "", nil
	}
	if kind.generated {
		return "", fmt.Errorf("there is no admin token to show: set %s, or name the file that holds it with --token-file%s", kind.variable, e.whereGenerated(node))
	}
	return "", fmt.Errorf("there is no token of the account to show: set %s, or name the file that holds it with --token-file", kind.variable)
}

// dataDir is where the node of this machine keeps its files.
func (e Environment) dataDir() string {
	if dir := e.Getenv(dirVariable); dir != "" {
		return dir
	}
	return e.DataDir
}

// whereGenerated says where the generated token was looked for.
func (e Environment) whereGenerated(node *url.URL) string {
	if !loopback.Host(node.Hostname()) {
		return "; the one that the node has made is in " + generatedFile + " of its data_dir, on its machine"
	}
	if e.dataDir() == "" {
		return ""
	}
	return fmt.Sprintf("; there is no %s either: if the node's data_dir is another directory, set %s to it", filepath.Join(e.dataDir(), generatedFile), dirVariable)
}

// generatedToken reads the token that the node has made; "" if there is none.
func (e Environment) generatedToken() (string, error) {
	if e.dataDir() == "" {
		return "", nil
	}
	path := filepath.Join(e.dataDir(), generatedFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by other users: run chmod 600 on it", path)
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%s belongs to another user: run this as the user that the node runs as, or set %s", path, adminVariable)
	}
	if err != nil {
		return "", fmt.Errorf("reading the admin token: %w", err)
	}
	return checkSecret(path, string(b))
}

// secret returns what a flag for a secret stands for: - is stdin, env:NAME a variable, anything else is the secret itself.
func (e Environment) secret(cmd *cobra.Command, name, value string) (string, error) {
	if value == "-" {
		return secretFrom(cmd, "--"+name, value)
	}
	variable, ok := strings.CutPrefix(value, "env:")
	if !ok {
		return checkSecret("--"+name, value)
	}
	found := e.Getenv(variable)
	if found == "" {
		return "", fmt.Errorf("--%s names the variable %s, which is not set", name, clean(variable))
	}
	return checkSecret(variable, found)
}

// secretFrom reads a secret from a file; - is stdin, on a terminal without echo. what says of which one an error is.
func secretFrom(cmd *cobra.Command, what, file string) (_ string, err error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", what, err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		in = f
	} else if terminal, ok := in.(*os.File); ok && term.IsTerminal(int(terminal.Fd())) {
		cmd.PrintErrf("%s: ", what)
		b, err := term.ReadPassword(int(terminal.Fd()))
		cmd.PrintErrln()
		if err != nil {
			return "", err
		}
		return checkSecret(what, string(b))
	}
	b, err := io.ReadAll(io.LimitReader(in, longestSecret+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return checkSecret(what, string(b))
}

// checkSecret trims a secret, and refuses what cannot go into a header.
func checkSecret(what, secret string) (string, error) {
	secret = strings.TrimSpace(secret)
	switch {
	case secret == "":
		return "", fmt.Errorf("%s: there is no secret in it", what)
	case len(secret) > longestSecret:
		return "", fmt.Errorf("%s: a secret has at most %d bytes", what, longestSecret)
	case strings.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", fmt.Errorf("%s: a secret is one line without control characters", what)
	}
	return secret, nil
}
