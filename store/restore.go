package store

// This file makes a store of a backup. The new store has an identity of its own, so that its files cannot be mixed with those of the one that was
// backed up; it continues that one's groups, and its first own group records that it was restored (Losses).

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
	"go.uber.org/zap"
)

// Restore makes a store of a backup in dir, which has to be empty or missing (a lock that nobody holds does not count), and leaves nothing there if it
// cannot: ErrBackup if the backup is not whole, ErrFormat if a newer version wrote it, ErrNoSpace. A store whose restoring was interrupted is refused by Open.
func Restore(ctx context.Context, r io.Reader, dir string, o Options) error {
	o = o.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := prepareDirectory(dir); err != nil {
		return err
	}
	if err := refuseUsed(dir); err != nil { // before a lock is put among files of somebody else
		return err
	}
	lock, err := lockDirectory(ctx, dir, o.LockWait)
	if err != nil {
		return err
	}
	if err := refuseUsed(dir); err != nil { // whoever had the lock may have made a store meanwhile
		return errors.Join(err, lock.Close())
	}
	err = restoreLocked(ctx, r, dir, o)
	if err != nil {
		err = errors.Join(fmt.Errorf("restoring into %s: %w", dir, err), empty(dir))
	}
	return errors.Join(err, lock.Close())
}

func refuseUsed(dir string) error {
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(found, func(f fs.DirEntry) bool { return f.Name() != lockFile }) {
		return fmt.Errorf("restoring into %s: it is not empty", dir)
	}
	return nil
}

func restoreLocked(ctx context.Context, r io.Reader, dir string, o Options) error {
	marker := filepath.Join(dir, restoringFile)
	if err := errors.Join(os.WriteFile(marker, nil, 0o600), syncPath(dir)); err != nil {
		return err
	}
	s, err := restoreDatabase(ctx, r, dir, o)
	if err != nil {
		return err
	}
	list, err := os.ReadFile(filepath.Join(dir, databaseDir, badger.ManifestFilename))
	if err != nil {
		return err
	}
	s.manifest = noteManifest(list)
	if err := createSidecar(dir, s); err != nil {
		return err
	}
	if err := syncDirectory(dir); err != nil {
		return err
	}
	return errors.Join(os.Remove(marker), syncPath(dir))
}

// restoreDatabase fills a new database, and returns the slot that its sidecar shall have.
func restoreDatabase(ctx context.Context, r io.Reader, dir string, o Options) (_ slot, err error) {
	path := filepath.Join(dir, databaseDir)
	f, err := beginFilling(path, o.Logger, badger.Open)
	if err != nil {
		return slot{}, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	head, err := fillDatabase(ctx, f.db, r, &space{dir: dir, log: zap.NewNop(), floor: o.MinFree, free: o.FreeSpace})
	if err != nil {
		return slot{}, err
	}
	last, id, err := beginRestored(f.db, path, head, o)
	if err != nil {
		return slot{}, err
	}
	return slot{
		acknowledged: last.sequence, acknowledgedHash: last.hash,
		intended: last.sequence, intendedHash: last.hash,
		identity: id,
	}, f.close()
}

// fillDatabase writes all entries of a backup.
func fillDatabase(ctx context.Context, db *badger.DB, r io.Reader, space *space) (backupHead, error) {
	batch := db.NewWriteBatch()
	defer batch.Cancel()
	size := 0
	head, err := readBackup(r, func(_ backupHead, key, value []byte) error {
		if bytes.HasPrefix(key, reservedPrefix) && !strings.HasPrefix(string(key), lossPrefix) {
			return fmt.Errorf("%w: it has a key %q", ErrBackup, key)
		}
		if size += len(key) + len(value) + entryRoom; size > 1<<20 {
			size = 0
			if err := errors.Join(ctx.Err(), space.measure(space.floor)); err != nil {
				return err
			}
		}
		return batch.Set(bytes.Clone(key), append([]byte{}, value...))
	})
	if err != nil {
		return head, err
	}
	return head, batch.Flush()
}

// beginRestored writes what makes a store of the entries: an identity, and the group that says where they come from.
func beginRestored(db *badger.DB, path string, from backupHead, o Options) (head, identity, error) {
	var id identity
	if _, err := io.ReadFull(o.Random, id[:]); err != nil {
		return head{}, id, err
	}
	if err := writeIdentity(db, id); err != nil {
		return head{}, id, err
	}
	d := &disk{db: db, logs: &logs{database: path, room: func() error { return nil }}}
	if err := d.logs.begin(); err != nil {
		return head{}, id, err
	}
	l := Loss{
		Time: o.Now(), Held: from.sequence, Restored: true,
		Reason: fmt.Sprintf("restored from the backup that was made at %s", from.at.UTC().Format(time.RFC3339)),
	}
	last, err := recordLoss(d, head{sequence: from.sequence, hash: from.hash}, l, 0, o.Now())
	return last, id, err
}

// empty removes all that is in a directory.
func empty(dir string) error {
	found, err := os.ReadDir(dir)
	for _, f := range found {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, f.Name())))
	}
	return err
}
