package caddymodule

// This file keeps what belongs to one data directory open across config reloads: the store, the ledger and the balances of the node's
// accounts on it, what the receiver remembers, and the generated secrets (D9).

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
	"github.com/paydoor/paydoor/receiver"
	"github.com/paydoor/paydoor/store"
)

func init() {
	// A hijacked connection may hold its lease for ever, so that the pool alone would never close the books.
	caddy.OnExit(func(context.Context) {
		booksPool.Range(func(_, value any) bool {
			if err := value.(*books).Destruct(); err != nil {
				pooledLogger().Error("closing the ledger", zap.Error(err))
			}
			return true
		})
	})
}

// errClosed says that a config is no longer in use and its ledger is closed.
var errClosed = errors.New("the ledger of this config is closed")

// booksPool holds the open books of the process by canonical data directory.
var booksPool = caddy.NewUsagePool()

// ledgerSettings are fixed while books are open.
type ledgerSettings struct {
	durability balances.Durability
	cacheSize  int
	retention  time.Duration // 0: for ever
	minFree    uint64
	ballast    int64
}

// ledgerDirectory is where the ledger is in a data directory.
const ledgerDirectory = "ledger"

// books are open.
type books struct {
	settings ledgerSettings
	store    *store.Store
	ledger   *balances.Ledger
	accounts *connector.Books // what the node and its neighbours owe each other
	nodes    nodes
	// What the node's API has made, and what encrypts the secrets in it; nil before the first config is open. Guarded by nodes.mu.
	directory *nodeapi.Directory
	keeper    *nodeapi.Keeper
	sessions  *receiver.Sessions
	noted     sync.Map // what accounts count in, by name, as was last written down, or is about to be
	dir       string
	used      bool // the ledger was there before it was opened
	random    io.Reader

	tally       atomic.Pointer[tally] // of the asset that the ledger counts; nil until it is known
	conversions conversions
}

// acquireBooks returns the books in dir, opened now if need be. Each acquired reference is given back once, with releaseBooks.
func acquireBooks(dir string, s ledgerSettings) (*books, error) {
	value, loaded, err := booksPool.LoadOrNew(dir, func() (caddy.Destructor, error) { return openBooks(dir, s) })
	for errors.Is(err, errClosed) { // somebody came late and was told so; there is nothing in the pool now
		value, loaded, err = booksPool.LoadOrNew(dir, func() (caddy.Destructor, error) { return openBooks(dir, s) })
	}
	if err != nil {
		return nil, err
	}
	b := value.(*books)
	if err := b.store.Err(); loaded && err != nil {
		return nil, errors.Join(fmt.Errorf("the ledger in %s has failed; restart paydoor to open it again: %w", dir, err), releaseBooks(dir))
	}
	if loaded && b.settings != s {
		err := fmt.Errorf("the ledger in %s is open with other settings: durability, cache_size, retention, min_free and ballast change by a restart, not by a reload", dir)
		return nil, errors.Join(err, releaseBooks(dir))
	}
	return b, nil
}

// joinBooks is acquireBooks for who comes late: it opens nothing. Without open books it is errClosed.
func joinBooks(dir string) (*books, error) {
	value, _, err := booksPool.LoadOrNew(dir, func() (caddy.Destructor, error) { return nil, errClosed })
	if err != nil {
		return nil, err
	}
	return value.(*books), nil
}

func releaseBooks(dir string) error {
	_, err := booksPool.Delete(dir)
	return err
}

// Tests make the disk fail or full; nil is the real one.
var (
	fault     func(at store.Point, sequence uint64) error
	freeSpace func(dir string) (uint64, error)
)

func openBooks(dir string, s ledgerSettings) (*books, error) {
	logger := pooledLogger()
	used, err := hasLedger(dir, "lock", "ballast")
	if err != nil {
		return nil, notOpened(dir, err)
	}
	opened, err := store.Open(context.Background(), filepath.Join(dir, ledgerDirectory), store.Options{
		Journal: true,
		Logger:  logger, MinFree: s.minFree, Ballast: s.ballast, Tail: s.durability == balances.Process, Fault: fault, FreeSpace: freeSpace, Observe: observeGroup,
	})
	if err != nil {
		return nil, notOpened(dir, err)
	}
	ledger, err := balances.Open(opened, balances.Options{Logger: logger, CacheSize: s.cacheSize, Retention: s.retention, Durability: s.durability})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the ledger in %s: %w", dir, err), opened.Close())
	}
	accounts, err := connector.OpenBooks(opened)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the ledger in %s: %w", dir, err), opened.Close())
	}
	logger.Info("opened the ledger", zap.String("data_dir", dir))
	b := &books{
		settings: s, store: opened, ledger: ledger, accounts: accounts, sessions: receiver.NewSessions(), dir: dir, used: used, random: rand.Reader,
	}
	if asset, pinned := ledger.Asset(); pinned {
		b.tally.Store(tallyOf(ilpcore.Asset(asset)))
	}
	return b, nil
}

// notOpened says that the ledger of a data directory cannot be opened, and what to do where the store does not know it.
func notOpened(dir string, err error) error {
	err = fmt.Errorf("opening the ledger in %s: %w", dir, wayIn(err))
	if errors.Is(err, store.ErrLocked) {
		err = fmt.Errorf("%w; another paydoor runs on it: stop that one first, or give this one another data_dir in its ilp block", err)
	}
	return err
}

// awaitBooks waits until no other process has the ledger in dir. It opens nothing.
func awaitBooks(ctx context.Context, dir string) error {
	if _, open := booksPool.References(dir); open {
		return nil
	}
	if err := store.Await(ctx, filepath.Join(dir, ledgerDirectory), store.Options{}); err != nil {
		return notOpened(dir, err)
	}
	return nil
}

// secret returns the generated secret in the file of that name. The store's lock keeps other processes from making another one.
func (b *books) secret(name string) (string, error) { return generated(b.dir, name, b.random) }

// Destruct closes the books once nobody holds a reference. It may be called more than once.
func (b *books) Destruct() error { return b.store.Close() }

var _ caddy.Destructor = (*books)(nil)
