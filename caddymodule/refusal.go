package caddymodule

// This file tells the program that its first config cannot run because of what is in the data directory. Restarting does not help then,
// and whoever starts the program should hear so by its exit status.

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/store"
)

// ExitRefused is the exit status of a server that refuses to start because its ledger has lost something, contradicts itself, or was written
// by a newer version. It is EX_CONFIG of sysexits.h, which service managers can be told not to restart after.
const ExitRefused = 78

// Refused, if set, is called with one line for the operator when the first config of the process cannot run for these reasons. Caddy
// itself ends with 1 whatever the reason is, so the program ends itself here. Later configs that fail leave the running one alone and
// do not come here. It is to be set before the first config is loaded.
var Refused func(line string)

// refuse calls Refused if err is a reason for it. It returns err in words that fit the data directory.
func refuse(err error, dir string) error {
	line, ok := refusalOf(err, dir)
	if !ok {
		return err
	}
	if Refused != nil && caddy.ActiveContext().Context == nil {
		Refused("refusing to start: " + line)
	}
	return reworded{err, line}
}

// reworded is an error in other words.
type reworded struct {
	error
	line string
}

func (r reworded) Error() string { return r.line }
func (r reworded) Unwrap() error { return r.error }

// refusalOf returns the line that says what is wrong with the ledger in a data directory and the way out, if err is about that.
func refusalOf(err error, dir string) (line string, ok bool) {
	lost := errors.Is(err, store.ErrLost) || errors.Is(err, balances.ErrAudit)
	record := errors.Is(err, balances.ErrRecord) || errors.Is(err, connector.ErrBooks)
	if !lost && !record && !errors.Is(err, store.ErrFormat) {
		return "", false
	}
	// The store knows the way out, and not that its directory is a part of ours.
	line = strings.ReplaceAll(err.Error(), "--dir "+filepath.Join(dir, ledgerDirectory), "--dir "+dir)
	line = strings.ReplaceAll(line, "\n", "; ")
	if lost && !strings.Contains(line, "--accept-loss") && !strings.Contains(line, "only a backup helps") {
		line += "; or go on with what is there: paydoor tokens check --dir " + dir + " --accept-loss"
	}
	if !lost && record && !strings.Contains(line, "newer program") {
		line += "; run the newer program that may have written it, or restore a backup"
	}
	return line, true
}
