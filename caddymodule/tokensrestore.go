package caddymodule

// This file is `paydoor tokens restore`: a data directory made of a backup.

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/store"
)

func restoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE --dir DIR [--json]",
		Short: "Restores a backup into a data directory",
		Long: `
Makes the ledger of a backup in a data directory that holds none, and audits it. A file that was cut off or altered is refused, and leaves
nothing behind.

What happened after the backup is not in it: payments since then are gone for those who paid them, and charges since then are given back.
The ledger remembers that it was restored; audit shows it.`,
		Args: plain(cobra.ExactArgs(1), "write the name of the backup behind restore"),
		RunE: ending(func(cmd *cobra.Command, args []string) error { return runRestore(cmd, args[0]) }),
	}
	cmd.Flags().String("dir", "", "The data directory: data_dir of the ilp block (required)")
	addOutputFlag(cmd)
	return cmd
}

func runRestore(cmd *cobra.Command, file string) (err error) {
	dir, err := stoppedDirectory(cmd)
	if err != nil {
		return err
	}
	into := filepath.Join(dir, ledgerDirectory)
	if found, err := hasLedger(dir, "lock"); err != nil {
		return err
	} else if found {
		return fmt.Errorf("there is a ledger in %s already: stop its server and move %s away, or restore into another directory", dir, into)
	}
	if err := checkOwner(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	backup, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backup.Close()) }()
	shown := progressOn(cmd.ErrOrStderr())
	err = store.Restore(cmd.Context(), io.TeeReader(backup, shown), into, store.Options{LockWait: time.Second})
	shown.end()
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	answer, err := checkLedger(cmd.Context(), dir, false)
	if err != nil {
		return fmt.Errorf("it was restored, and yet: %w", err)
	}
	if err := answer.print(cmd); err != nil {
		return err
	}
	return noteMissingSecret(cmd.ErrOrStderr(), dir)
}

// noteMissingSecret says what a backup does not hold, while the old directory may still be at hand.
func noteMissingSecret(w io.Writer, dir string) error {
	path := filepath.Join(dir, receiverSecretFile)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err := fmt.Fprintf(w, "\npaydoor: %s is missing: unless the ilp block has a secret line, copy it from the old data directory before the server starts; without it %s\n",
		path, lostWithSecret)
	return err
}
