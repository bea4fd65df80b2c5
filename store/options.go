package store

// This file is what the opener of a store may choose.

import (
	"crypto/rand"
	"io"
	"time"

	"go.uber.org/zap"
)

// Options of a Store; the zero value is a good choice.
type Options struct {
	// Logger is told when the store fails and when the space guard closes and opens, and gets what Badger says, its chatter at debug
	// level. None if nil.
	Logger *zap.Logger
	// Now is the wall clock, noted in the head record of each group. time.Now if nil.
	Now func() time.Time
	// Random makes the identity of a new store. crypto/rand if nil.
	Random io.Reader
	// LockWait is how long Open waits for another process to leave the directory: 5 seconds if 0.
	LockWait time.Duration
	// MinFree is how many bytes must be free in the file system for changes to be taken: DefaultMinFree if 0.
	MinFree uint64
	// FreeSpace says how many bytes are free in the file system of dir. The operating system is asked if nil.
	FreeSpace func(dir string) (uint64, error)
	// Ballast is the size in bytes of a file in the directory that is given up when the store has to be opened on a full disk, and
	// made again when there is space: DefaultBallast, or a quarter of MinFree if that is less, if 0; none if negative.
	Ballast int64
	// Tail makes every change survive the end of this process as soon as Join returns, at the price of a write(2) in each Join;
	// without it, and for surviving a power loss, one has to wait for the Ticket.
	Tail bool
	// Journal has groups written into a file of the store's own, with one sync each, and Badger get them later and many at a time. Without
	// it each is a transaction of Badger. It takes twice 4 MiB on the disk, or less with a small MinFree, while the store is open.
	Journal bool
	// AcceptLoss opens a directory that has lost something it had acknowledged with what can be read of it, and remembers that: Losses.
	// What is damaged stays beside it, in db.damaged-<time>. Without it such a directory is refused: ErrLost.
	AcceptLoss bool
	// Observe is told of each group when it is durable, after those who wait for it, by the goroutine that commits: it must be quick.
	Observe func(Commit)
	// Fault lets tests make things fail, slow or crash at a Point: an error counts as an error of the step itself.
	// It is called by the goroutines that commit, with the number of the group.
	Fault func(at Point, sequence uint64) error
}

// Commit is a group that has become durable.
type Commit struct {
	Sequence uint64
	Joins    int           // how many changes joined (Group.StandsFor)
	Entries  int           // keys in it
	Bytes    int           // of keys and values
	Took     time.Duration // from the first write to the last sync
}

// Point is a place where Options.Fault is called.
type Point int

const (
	// BeforeCommit is before the group is given to Badger, or written to the journal.
	BeforeCommit Point = iota
	// AfterCommit is when it is synced. An error here is one of those that leave the change in place.
	AfterCommit
	// BeforeSidecar is before the sidecar's slot is written, at the same time as Badger's transaction.
	BeforeSidecar
	// BeforeRelease is when all is on disk, and nobody has been told.
	BeforeRelease
	// BeforeCheckpoint is, with a journal, before Badger is given what groups come to; the number is that of the last of them.
	BeforeCheckpoint
	// AfterCheckpoint is when Badger has synced that.
	AfterCheckpoint
)

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.LockWait == 0 {
		o.LockWait = 5 * time.Second
	}
	if o.MinFree == 0 {
		o.MinFree = DefaultMinFree
	}
	if o.FreeSpace == nil {
		o.FreeSpace = freeSpace
	}
	return o
}
