package caddymodule

// This file is `paydoor tokens check`: whether a stopped server's ledger can be opened and adds up, and going on if it cannot.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/store"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check --dir DIR [--accept-loss] [--json]",
		Short: "Checks the data directory of a stopped server",
		Long: fmt.Sprintf(`
Opens the ledger in a data directory that no server uses, and adds everything up. If something is lost or altered, it says what, changes
nothing, and ends with %d, as a server that is started on the directory does.

With --accept-loss it goes on with what is there: what was given up is written down in the ledger with time, numbers and reason, and
shown by check and audit from then on. Keep a copy of the directory, and look for a backup first: credits that are lost are
gone for whoever paid them.`, ExitRefused),
		Args: plain(cobra.NoArgs, "check takes no arguments: name the data directory with --dir"),
		RunE: ending(runCheck),
	}
	cmd.Flags().String("dir", "", "The data directory: data_dir of the ilp block (required)")
	cmd.Flags().Bool("accept-loss", false, "Go on with what is there, and write down what was given up")
	addOutputFlag(cmd)
	return cmd
}

func runCheck(cmd *cobra.Command, _ []string) error {
	dir, err := stoppedDirectory(cmd)
	if err != nil {
		return err
	}
	if found, err := hasLedger(dir, "lock", "ballast"); err != nil {
		return err
	} else if !found {
		return fmt.Errorf("there is no ledger in %s: --dir is the data_dir of the ilp block, by default Caddy's data directory and /paydoor", dir)
	}
	if err := checkOwner(filepath.Join(dir, ledgerDirectory)); err != nil {
		return err
	}
	accept := option(cmd, "accept-loss") == "true"
	answer, err := checkLedger(cmd.Context(), dir, accept)
	if line, ok := refusalOf(err, dir); ok {
		return exitStatus{errors.New("refusing to start: " + line), ExitRefused}
	}
	if err != nil {
		return err
	}
	return answer.print(cmd)
}

// stoppedDirectory returns the data directory that --dir names.
func stoppedDirectory(cmd *cobra.Command) (string, error) {
	dir := option(cmd, "dir")
	if dir == "" {
		return "", errors.New("name the data directory: --dir /var/lib/paydoor, or whatever data_dir of the ilp block is")
	}
	return canonicalDirectory(dir)
}

// hasLedger says whether there is anything where the ledger of a data directory is, except files of these names.
func hasLedger(dir string, except ...string) (bool, error) {
	found, err := os.ReadDir(filepath.Join(dir, ledgerDirectory))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return slices.ContainsFunc(found, func(f fs.DirEntry) bool { return !slices.Contains(except, f.Name()) }), err
}

// checkMinFree is what a check wants to have free: enough to open the ledger and to write a little. It does not know the server's min_free, which
// may be less than the default.
const checkMinFree = 80 << 20

func checkOptions(dir string, accept bool) store.Options {
	return store.Options{
		LockWait: time.Second, AcceptLoss: accept, Logger: zap.NewNop(), MinFree: checkMinFree, Ballast: ballastIn(dir), FreeSpace: freeSpace,
	}
}

// ballastIn is the size of the ballast that the server keeps, as the options of a store have it. A check leaves it so: a larger one could be what
// the server misses of its min_free.
func ballastIn(dir string) int64 {
	found, err := os.Lstat(filepath.Join(dir, ledgerDirectory, "ballast"))
	if err != nil || found.Size() == 0 {
		return -1
	}
	return found.Size()
}

// checkLedger opens and audits what is in a data directory. With accept it goes on after a loss.
func checkLedger(ctx context.Context, dir string, accept bool) (answer *auditAnswer, err error) {
	opened, err := store.Open(ctx, filepath.Join(dir, ledgerDirectory), checkOptions(dir, accept))
	if errors.Is(err, store.ErrLocked) {
		return nil, fmt.Errorf("a server uses %s: ask it with paydoor tokens audit, or stop it first", dir)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	ledger, err := balances.Open(opened, balances.Options{SkipAudit: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	report, err := ledger.Audit(ctx)
	accepted := ""
	if errors.Is(err, balances.ErrAudit) && accept {
		accepted = err.Error()
		if err = ledger.Reconcile(ctx, "accepted: "+accepted); err == nil {
			report, err = ledger.Audit(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	answer = audited(dir, ledger, report, nil)
	answer.Accepted = accepted
	answer.Losses, err = lossesOf(opened)
	return answer, err
}

// lossAnswer is one time that the ledger went on without something.
type lossAnswer struct {
	Time         time.Time `json:"time"`
	Held         uint64    `json:"held"`         // the last group of changes that was there
	Acknowledged uint64    `json:"acknowledged"` // the last one that was acknowledged, as far as that was known
	Restored     bool      `json:"restored"`     // it went back to a backup
	Reason       string    `json:"reason"`
}

func lossesOf(s *store.Store) (answer []lossAnswer, err error) {
	losses, err := s.Losses()
	for _, l := range losses {
		answer = append(answer, lossAnswer{l.Time.UTC(), l.Held, l.Acknowledged, l.Restored, l.Reason})
	}
	return answer, err
}

func (l *lossAnswer) row(w io.Writer) {
	what := fmt.Sprintf("gone on after a loss: %d groups were there, %d acknowledged: %s", l.Held, l.Acknowledged, l.Reason)
	if l.Restored {
		what = fmt.Sprintf("gone back to group %d: %s", l.Held, l.Reason)
	}
	row(w, l.Time.Format(time.RFC3339), what)
}
