package store

// This file looks for loss before Badger may touch anything: it compares the sidecar with what the MANIFEST, the tables and the logs hold.
// A directory that is refused is left as it was found.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

// inspection is what the files of a store directory say.
type inspection struct {
	dir    string
	said   slot // of the sidecar
	found  bool // there is a sidecar
	fresh  bool // there is neither a sidecar nor a database
	id     identity
	known  bool     // there is an identity
	held   head     // the last group that can be read of Badger's
	spent  []string // logs of which all is in the tables
	tables []uint64 // on the MANIFEST
	listed bool     // the MANIFEST is whole
	whole  int64    // what it has to be cut to, or 0
	logs   []*logFile

	sidecar string   // what is wrong with the sidecar
	log     []string // what is wrong with the logs
	list    []string // what is wrong with the MANIFEST and the tables
	limited bool     // part of it cannot be read, so held may be too low

	journal []journaled // the groups after held
	reached uint64      // the last group that may have been told of, by the file of that name
	records []string    // what is wrong with the journal
}

// inspect reads the whole directory. Its error is not about loss: the directory cannot be read, or is of another format.
func inspect(dir string) (*inspection, error) {
	in := &inspection{dir: dir}
	if _, err := os.Lstat(filepath.Join(dir, restoringFile)); err == nil {
		return nil, fmt.Errorf("%w: restoring a backup into %s was interrupted; empty the directory and restore again", ErrFormat, dir)
	}
	var err error
	if in.said, in.found, in.sidecar, err = readSidecar(dir); err != nil {
		return nil, err
	}
	database := filepath.Join(dir, databaseDir)
	if _, err := os.Stat(database); errors.Is(err, fs.ErrNotExist) {
		if in.fresh = !in.found && !in.used(); !in.fresh {
			in.list = append(in.list, database+" is missing")
		}
		return in, nil
	} else if err != nil {
		return nil, err
	}
	if err := in.readDatabase(database); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if in.said.journal || in.sidecar != "" || !in.found {
		if err := in.readJournal(); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	return in, nil
}

// readJournal reads what follows Badger's last group.
func (in *inspection) readJournal() error {
	of := in.id
	if !in.known {
		of = in.said.identity
	}
	next, _, damaged, err := readJournal(in.dir, of, in.held.sequence)
	in.journal = next
	if err != nil || !in.said.journal {
		return err // without a sidecar that asks for it, it is only counted
	}
	id, reached, damage, err := readReached(in.dir)
	if err != nil {
		return err
	}
	if damage == "" && in.known && id != in.id {
		damage = filepath.Join(in.dir, reachedFile) + " belongs to another store"
	}
	if damage != "" {
		damaged = append(damaged, damage)
	}
	in.reached, in.records = reached, damaged
	return nil
}

func (in *inspection) journalThere() bool {
	for i := range 2 {
		if _, err := os.Lstat(journalPath(in.dir, i)); err == nil {
			return true
		}
	}
	return false
}

// last is the number of the last group that is there.
func (in *inspection) last() uint64 { return max(in.held.sequence, lastOf(in.journal)) }

// used says that there has been a store here, by what is made only in the directory of one.
func (in *inspection) used() bool {
	for _, name := range [...]string{filepath.Join(in.dir, ballastFile), tailPath(in.dir, 0), tailPath(in.dir, 1)} {
		if _, err := os.Lstat(name); err == nil {
			return true
		}
	}
	return in.journalThere()
}

func (in *inspection) readDatabase(database string) error {
	tables, whole, damage, err := readManifest(filepath.Join(database, "MANIFEST"), in.said.manifest)
	if err != nil {
		return err
	}
	in.tables, in.whole, in.listed = tables, whole, damage == ""
	own, damagedTables, err := verifyTables(database, tables)
	if err != nil {
		return err
	}
	c := chain{format: own.format}
	if own.format.value != nil {
		if in.id, err = decodeFormat(own.format.value); err != nil {
			return err
		}
		c.held, c.started = genesis(in.id), true
	}
	if own.head.value != nil {
		if c.flushed, err = decodeHead(own.head.value); err != nil {
			return err
		}
		c.held, c.started = c.flushed, true
	}
	if err := c.follow(database); err != nil {
		return err
	}
	in.logs, in.held, in.log = c.logs, c.held, c.damage
	for _, l := range c.logs {
		if c.spent(l) {
			in.spent = append(in.spent, l.path)
		}
	}
	if damage != "" && !in.untouched(database, damage) {
		in.list = append(in.list, damage)
	}
	in.list = append(in.list, damagedTables...)
	in.limited = len(in.list) > 0
	if c.format.value == nil {
		return in.refuseStrangers()
	}
	in.id, err = decodeFormat(c.format.value)
	in.known = err == nil
	return err
}

// refuseStrangers returns an ErrFormat for a database that is whole and has records, but none that a store begins with.
func (in *inspection) refuseStrangers() error {
	records := len(in.tables) > 0 || in.held.sequence > 0
	for _, l := range in.logs {
		records = records || l.heads+l.other > 0
	}
	if records && !in.found && len(in.list) == 0 {
		return fmt.Errorf("%w: it has records but no %s", ErrFormat, formatKey)
	}
	return nil
}

// untouched says that a database without a MANIFEST is one in which Badger had hardly begun.
func (in *inspection) untouched(database, damage string) bool {
	ids, err := listTables(database)
	return err == nil && len(ids) == 0 && !in.found && in.held.sequence == 0 && strings.HasSuffix(damage, "is missing")
}

// loss is nil if everything is there that was acknowledged, else an ErrLost in one line.
func (in *inspection) loss() error {
	if reason := in.reason(); reason != "" {
		return fmt.Errorf("%w: %s holds %s and %s acknowledged: %s; %s", ErrLost, in.dir, in.holds(), in.acknowledged(), reason, in.wayOut())
	}
	return nil
}

func (in *inspection) reason() string {
	damage := slices.Concat(in.list, in.log, in.records)
	if in.sidecar != "" {
		damage = append(damage, in.sidecar)
	}
	switch {
	case len(damage) > 3:
		return fmt.Sprintf("%s, and %d more", strings.Join(damage[:3], ", "), len(damage)-3)
	case len(damage) > 0:
		return strings.Join(damage, ", ")
	case in.fresh:
		return ""
	case !in.found && (in.held.sequence > 0 || in.journalThere()):
		return filepath.Join(in.dir, sidecarFile) + " is missing"
	case !in.found:
		return "" // made, and never used
	case !in.known:
		return filepath.Join(in.dir, databaseDir) + " has no records"
	}
	if why := in.said.check(in.held, in.id, in.dir); why != "" {
		return why
	}
	if in.last() < in.reached {
		return "the last ones are missing in the journal"
	}
	return ""
}

func (in *inspection) holds() string {
	if in.limited {
		return fmt.Sprintf("%d groups of changes that can be read,", in.last())
	}
	return fmt.Sprintf("%d groups of changes,", in.last())
}

func (in *inspection) acknowledged() string {
	if !in.found || in.sidecar != "" {
		return "an unknown number were"
	}
	return fmt.Sprintf("%d were", max(in.said.acknowledged, in.reached))
}

func (in *inspection) wayOut() string {
	if !in.readable() {
		return "nothing in it can be read, so only a backup helps"
	}
	return fmt.Sprintf("restore a backup, or go on with what is there: paydoor tokens check --dir %s --accept-loss", in.dir)
}

// readable says that there is something to go on with.
func (in *inspection) readable() bool {
	if in.known || in.last() > 0 {
		return true
	}
	ids, _ := listTables(filepath.Join(in.dir, databaseDir))
	return len(ids) > 0 || len(in.logs) > 0
}

// clear removes what Badger does not need and might stumble over: logs of which all is in the tables, and its files that hold nothing of ours:
// no value is in the value log, nothing is encrypted, and nothing is collected. It also takes a compaction back that would lose something.
func (in *inspection) clear() error {
	database := filepath.Join(in.dir, databaseDir)
	if in.whole > 0 {
		list := filepath.Join(database, badger.ManifestFilename)
		if err := errors.Join(os.Truncate(list, in.whole), syncPath(list)); err != nil {
			return err
		}
	}
	remove := in.spent
	for _, pattern := range []string{"*.vlog", "DISCARD", "KEYREGISTRY", "MANIFEST-REWRITE", "REWRITE-KEYREGISTRY"} {
		found, err := filepath.Glob(filepath.Join(database, pattern))
		if err != nil {
			return err
		}
		remove = append(remove, found...)
	}
	for _, path := range remove {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if len(remove) == 0 {
		return nil
	}
	return syncPath(database)
}
