// Package store keeps keys and values safe: what it has acknowledged survives the end of the process and of the power, and if that
// should ever not be so, it refuses to open instead of going on with what is there. It knows no money; the ledger is built on it.
//
// Changes of many callers are gathered into groups, and each group becomes durable at once:
//
//	s, err := store.Open(ctx, "/var/lib/paydoor/ledger", store.Options{})
//	defer s.Close()
//	ticket, err := s.Join(func(g *store.Group) { g.Put([]byte("greeting"), []byte("hello")) })
//	err = ticket.Wait(ctx)                       // nil: it is on disk
//	value, err := s.Get([]byte("greeting"))      // "hello"
//
// The way of a change, from top to bottom: join.go, group.go, committer.go, database.go, sidecar.go; with Options.Journal it is durable in
// journal.go, and goes on by shelf.go and checkpoint.go to database.go. The format on disk is in format.go.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"go.uber.org/zap"
)

// Store is an open store directory. Its methods may be called from many goroutines at once.
type Store struct {
	dir      string
	identity identity
	now      func() time.Time
	log      *zap.Logger
	fault    func(at Point, sequence uint64) error
	observe  func(Commit)
	lock     *os.File
	sidecar  *sidecar
	disk     *disk
	sink     sink
	space    *space
	ballast  ballast

	open sync.RWMutex // held for reading while db is used, for writing to close it
	db   *badger.DB   // nil once closed

	journal     *journal      // nil without Options.Journal; belongs to the committer
	checkpoints *checkpointer // nil without Options.Journal
	journaled   bool          // groups may be in the journal and not in Badger; changes only while the store is opened and closed

	last      head   // of the last group in Badger; belongs to the checkpointer, or the committer if there is none
	settledAt uint64 // the group of the last slot in which nothing was under way; belongs to the same
	durable   atomic.Uint64
	backlog   atomic.Int64 // groups that are sealed and not durable
	expected  atomic.Int64 // changes that are under way (company.go)

	mu         sync.Mutex // the group mutex
	wake       *sync.Cond // on mu: there is something to commit, or an end
	gathering  *Group
	before     func(g *Group) // nil without BeforeCommit
	sealed     []*Group       // full groups, oldest first
	committing *Group
	spare      []*Group
	company    company
	tail       *tail // nil without Options.Tail
	closing    bool
	failure    error // wraps ErrPoisoned
	idle       *time.Timer
	settle     bool // nothing was under way for settleAfter
	roomy      bool // there is space to open Badger with compaction

	refusal atomic.Pointer[error] // what Err says, without the mutex
	failed  chan struct{}         // closed when failure is set
	stopped chan struct{}         // closed when the committer has ended
	cared   chan struct{}         // closed when nobody looks after the store any more
	closed  sync.Once
}

// Open opens the store in dir, making it with mode 0700 if there is none. It refuses a directory that others can enter
// (ErrPermissions), that another process holds for longer than Options.LockWait (ErrLocked), that a newer version wrote
// (ErrFormat), or that has lost something it had acknowledged (ErrLost). Opening itself writes, and would end the process on a full disk;
// with less than half of Options.MinFree free it opens without compaction, and below that half or 40 MiB, whichever is less, it gives up the
// ballast file if that helps, and else refuses (ErrNoSpace).
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := prepareDirectory(dir); err != nil {
		return nil, err
	}
	lock, err := lockDirectory(ctx, dir, o.LockWait)
	if err != nil {
		return nil, err
	}
	s, err := openLocked(dir, o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.lock = lock
	go s.commitGroups()
	if s.journal != nil {
		go s.checkpoint()
	}
	go s.care()
	return s, nil
}

// openLocked opens what is in a directory that is ours alone.
func openLocked(dir string, o Options) (_ *Store, err error) {
	start := time.Now()
	space := &space{dir: dir, log: o.Logger, floor: o.MinFree, free: o.FreeSpace, since: func() time.Duration { return time.Since(start) }}
	ballast := newBallast(dir, o)
	cramped, err := space.makeRoomToOpen(ballast, o.Logger)
	if err != nil {
		return nil, err
	}
	space.cramped.Store(cramped)
	space.look()
	in, err := inspect(dir)
	lost := false
	if err == nil {
		if err = in.loss(); err != nil && o.AcceptLoss {
			lost, err = true, in.accept(o.Logger, o.Now())
		}
	}
	if err == nil {
		err = in.clear()
	}
	if err == nil {
		err = syncDirectory(dir)
	}
	if err != nil {
		return nil, err
	}
	var bell alarm
	list, err := watchTables(filepath.Join(dir, databaseDir), bell.ring)
	if err != nil {
		return nil, err
	}
	db, err := openDatabase(dir, o.Logger, cramped, bell.ring)
	if err != nil {
		list.forget()
		return nil, err
	}
	s := &Store{dir: dir, now: o.Now, log: o.Logger, fault: o.Fault, observe: o.Observe, space: space, ballast: ballast,
		db: db, journaled: in.said.journal, failed: make(chan struct{}), stopped: make(chan struct{}), cared: make(chan struct{})}
	s.wake, s.company = sync.NewCond(&s.mu), newCompany()
	s.idle = time.NewTimer(settleAfter)
	s.idle.Stop()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeFiles())
		}
	}()
	s.disk = &disk{db: db, list: list, logs: &logs{database: filepath.Join(dir, databaseDir), room: s.waitForRoom}}
	if err = s.disk.logs.begin(); err != nil {
		return nil, err
	}
	if lost {
		err = s.goOn(o, in)
	} else {
		err = s.establish(o.Random, in)
	}
	if err == nil {
		err = s.recoverJournal(in.journal)
	}
	if err != nil {
		return nil, err
	}
	if err = s.recoverTail(o.Tail); err != nil {
		return nil, err
	}
	if o.Journal {
		if err = s.startJournal(o); err != nil {
			return nil, err
		}
	} else if err = removeJournal(dir); err != nil {
		return nil, err
	}
	s.durable.Store(s.last.sequence)
	s.gathering = newGroup(s.last.sequence + 1)
	if s.fault != nil {
		f := faulty{s.sink, s.fault, BeforeCommit, AfterCommit}
		if s.journal != nil {
			f.before, f.after = BeforeCheckpoint, AfterCheckpoint
		}
		s.sink = f
	}
	bell.answer(s)
	return s, nil
}

// establish makes sure that Badger shows what its files hold, or makes a new store of an empty directory.
func (s *Store) establish(random io.Reader, in *inspection) error {
	id, last, known, err := readIdentity(s.db)
	if err != nil {
		return fmt.Errorf("%s: %w", s.dir, err)
	}
	if known != in.known || known && (id != in.id || last.sequence != in.held.sequence || last.hash != in.held.hash) {
		return fmt.Errorf("%w: the files of %s hold %d groups of changes, and Badger shows %d of them; restore a backup",
			ErrLost, s.dir, in.held.sequence, last.sequence)
	}
	if !known {
		if id, err = s.createIdentity(random); err != nil {
			return err
		}
		last = genesis(id)
	}
	s.identity, s.last = id, last
	return s.startSidecar(in.said.generation, in.found)
}

func (s *Store) createIdentity(random io.Reader) (identity, error) {
	var id identity
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return id, fmt.Errorf("making the identity of a new store: %w", err)
	}
	return id, writeIdentity(s.db, id)
}

// startSidecar notes that all that was found is acknowledged from now on: it has been synced before it was read.
func (s *Store) startSidecar(generation uint64, found bool) (err error) {
	if !found {
		if err := createSidecar(s.dir, s.settled()); err != nil {
			return fmt.Errorf("making the sidecar: %w", err)
		}
	}
	if s.sidecar, err = openSidecar(s.dir, generation); err != nil {
		return err
	}
	s.disk.sidecar, s.sink = s.sidecar, s.disk
	return s.disk.mark(s.settled())
}

// settled is the slot of a store in which nothing is under way.
func (s *Store) settled() slot {
	return slot{
		acknowledged: s.last.sequence, acknowledgedHash: s.last.hash,
		intended: s.last.sequence, intendedHash: s.last.hash,
		identity: s.identity, journal: s.journaled,
	}
}

// Durable is the number of the last durable group.
func (s *Store) Durable() uint64 { return s.durable.Load() }

// Backlog is how many groups are being committed or wait for it; each holds at most about 4,000 entries and 768 KiB.
func (s *Store) Backlog() int { return int(s.backlog.Load()) }

// HasTail says whether changes survive the end of the process as soon as Join returns: Options.Tail.
func (s *Store) HasTail() bool { return s.tail != nil }

// Failed is closed when the store is poisoned.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err is nil while the store works, then ErrPoisoned or ErrClosed.
func (s *Store) Err() error {
	if e := s.refusal.Load(); e != nil {
		return *e
	}
	return nil
}

// Ready is nil when a Join would be taken now, else why not: ErrNoSpace, ErrPoisoned or ErrClosed.
func (s *Store) Ready() error {
	if err := s.Err(); err != nil {
		return err
	}
	return s.space.check()
}

// Close takes no more joins, waits until all that were taken are durable and all reads have ended, and closes the files. It may
// be called at any time and more than once; later calls return nil.
func (s *Store) Close() (err error) {
	s.closed.Do(func() { err = s.close() })
	return err
}

func (s *Store) close() error {
	s.mu.Lock()
	s.closing = true
	s.refusal.CompareAndSwap(nil, &ErrClosed)
	s.wake.Signal()
	s.mu.Unlock()
	<-s.stopped
	if s.checkpoints != nil {
		<-s.checkpoints.ended
	}
	<-s.cared
	s.open.Lock()
	defer s.open.Unlock()
	s.idle.Stop()
	var err error
	if s.poison() == nil {
		err = s.disk.mark(s.settled())
		s.journaled = false // the checkpointer has emptied the shelf
	}
	if err = errors.Join(err, s.closeFiles()); errors.Is(err, errStuck) {
		return err // and keep the lock
	}
	return errors.Join(err, s.lock.Close())
}

var errStuck = errors.New("the database cannot be closed; end the process")

// closeWait is how long closing a store that has failed may take.
var closeWait = 10 * time.Second

// closeDatabase closes Badger, which tries for ever to write its last table. Once that fails the store, it is left alone.
func (s *Store) closeDatabase() error {
	closed := make(chan error, 1)
	go func(db *badger.DB) { closed <- db.Close() }(s.db)
	select {
	case err := <-closed:
		return err
	case <-s.failed:
	}
	select {
	case err := <-closed:
		return err
	case <-time.After(closeWait):
		return fmt.Errorf("%s: %w", s.dir, errStuck)
	}
}

// closeFiles closes Badger, the sidecar, the journal and the tail, as far as they are open. Badger writes its last table and list only now, so the
// sidecar gets its last slot after that: it asks for no journal any more if Badger has all of it, which it has not where an opening failed.
func (s *Store) closeFiles() error {
	var err error
	if s.db != nil {
		if err = s.closeDatabase(); !errors.Is(err, errStuck) {
			defer s.disk.list.forget() // after the last slot, which notes it
		}
		s.db = nil
	}
	journal := s.journal
	if journal != nil {
		err = errors.Join(err, journal.close())
	}
	if s.sidecar != nil && err == nil && s.poison() == nil {
		if err = s.disk.mark(s.settled()); err == nil && journal != nil && !s.journaled {
			err = removeJournal(s.dir)
		}
	}
	if s.sidecar != nil {
		err = errors.Join(err, s.sidecar.close())
	}
	if s.tail != nil {
		err = errors.Join(err, s.tail.close())
	}
	return err
}
