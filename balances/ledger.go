// Package balances is the prepaid ledger: what each account may spend, raised by credits and lowered by charges, exactly. It knows
// neither Interledger nor HTTP.
//
//	l, err := balances.Open(s, balances.Options{})
//	err = l.PinAsset("USD", 9)
//	repeated, err := l.Credit(ctx, balances.Credit{Account: a, Amount: 100, Condition: condition, Digest: digest})
//	r, err := l.Reserve(ctx, a, 10)       // nobody else can spend these 10 now
//	defer r.Release()                     // gives them back, unless they were settled
//	balance, err := r.Settle(ctx, 10)     // 90; the charge is on disk
//
// Balances of accounts in use are in memory and authoritative there; every change of one joins the store's current group under the
// lock of its shard, so that the store sees the changes of an account in their order. Only what is durable is ever said to be
// so: a credit can be spent when its group is on disk and was there in time, and a charge is not reported before.
package balances

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// Durability says when a charge is reported as settled.
type Durability int

const (
	// Group is when the charge is on disk.
	Group Durability = iota
	// Process is when the charge survives the end of the process; a power cut may undo the last ones. The store must have been
	// opened with store.Options.Tail.
	Process
)

// Options of a Ledger; the zero value is a good choice.
type Options struct {
	// Logger gets what no caller is told. None if nil.
	Logger *zap.Logger
	// Now is the wall clock: deadlines are compared with it. time.Now if nil.
	Now func() time.Time
	// Elapsed is a clock that never jumps: the age of credits, for knowing duplicates, is measured with it. If nil, the system's
	// monotonic clock.
	Elapsed func() time.Duration
	// CacheSize is how many accounts are kept in memory, rounded up to a multiple of 256; those with reservations and changes under
	// way come on top. 100,000 if 0. An account takes at most 100 bytes.
	CacheSize int
	// Remember is how many credits of the last ten minutes are remembered at most, to know duplicates; when there are more, Credit
	// returns ErrBusy. 8,000,000 if 0, which takes about 300 MB when full.
	Remember int
	// Retention is how long events stay in the histories, by the wall clock: when they are older they are replaced by their sums, little
	// by little, and the IDs of adjustments among them are forgotten. 0: for ever.
	Retention time.Duration
	// SkipAudit opens a ledger also when its balances are not what its totals say, and keeps it open when an Audit finds a difference.
	SkipAudit bool
	// Durability of charges. Credits are always durable before they count.
	Durability Durability
}

// Above busyBacklog groups that wait for the disk, new credits and reservations are refused; above waitBacklog, charges wait
// for the disk even with Process.
const (
	busyBacklog = 64
	waitBacklog = 8
)

// Ledger is the balances in a store. Its methods may be called from many goroutines at once. It has no goroutines of its own and
// needs no closing: close the store.
type Ledger struct {
	store      *store.Store
	log        *zap.Logger
	now        func() time.Time
	durability Durability
	skipAudit  bool
	accounts   *accounts
	known      *known
	adjusting  adjusting
	folder     folder

	assetMu sync.Mutex
	asset   Asset
	pinned  bool // the asset is in the store, or on its way there

	// Of the group that gathers; used only in joins.
	totals   Totals
	unput    bool   // totals have changed since they were put into a group
	numbered uint64 // the group that number belongs to
	number   uint32
}

// Open reads what the ledger must know of s: totals, asset, and the credits of the last minutes. It adds up all balances; if they are not
// what the totals say, it refuses with ErrAudit, unless Options.SkipAudit is set. s stays the caller's to close, and must
// not get a second Ledger: balances are authoritative in the memory of the one that it has.
func Open(s *store.Store, o Options) (*Ledger, error) {
	if o.Durability == Process && !s.HasTail() {
		return nil, errors.New("balances: durability process needs a store with a tail")
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Elapsed == nil {
		start := time.Now()
		o.Elapsed = func() time.Duration { return time.Since(start) }
	}
	if o.CacheSize <= 0 {
		o.CacheSize = 100_000
	}
	if o.Remember <= 0 {
		o.Remember = 8_000_000
	}
	l := &Ledger{store: s, log: o.Logger, now: o.Now, durability: o.Durability, skipAudit: o.SkipAudit, accounts: newAccounts(s, o.CacheSize)}
	l.folder.retention = o.Retention
	err := s.View(func(v *store.View) error {
		if err := l.readState(v); err != nil {
			return err
		}
		var err error
		l.known, err = loadKnown(v, o.Now(), o.Elapsed, o.Remember)
		return err
	})
	if err == nil && !o.SkipAudit {
		err = l.checkSums()
	}
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	s.BeforeCommit(l.putTotals)
	return l, nil
}

func (l *Ledger) readState(v *store.View) error {
	b, err := v.Get([]byte(totalsKey))
	if err == nil {
		l.totals, err = decodeTotals(b)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	b, err = v.Get([]byte(assetKey))
	if err == nil {
		l.asset, err = decodeAsset(b)
		l.pinned = true
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// PinAsset says what amounts are amounts of. It must be called before the first Credit, which makes it final; it returns ErrAsset when the
// ledger already holds another asset, for balances are never reinterpreted. The code has 1 to 32 bytes.
func (l *Ledger) PinAsset(code string, scale uint8) error {
	if len(code) < 1 || len(code) > 32 {
		return fmt.Errorf("%w: an asset code has 1 to 32 bytes, not %d", ErrAsset, len(code))
	}
	l.assetMu.Lock()
	defer l.assetMu.Unlock()
	asked := Asset{Code: code, Scale: scale}
	if l.pinned && l.asset != asked {
		return fmt.Errorf("%w: its balances are in %s with scale %d, not %s with scale %d", ErrAsset, l.asset.Code, l.asset.Scale, code, scale)
	}
	l.asset = asked
	return nil
}

// Asset returns what the amounts are amounts of; pinned says that it is final. It is zero until PinAsset was called once in the
// ledger's life.
func (l *Ledger) Asset() (asset Asset, pinned bool) {
	l.assetMu.Lock()
	defer l.assetMu.Unlock()
	return l.asset, l.pinned
}

// Balance is what an account has, in base units.
type Balance struct {
	Spendable amount.Amount // what a Reserve may take now
	Durable   amount.Amount // the balance that is on disk, reserved or not
	Reserved  amount.Amount // what open reservations have taken
}

// Balance returns what the account has now: all zero if it is unknown. It writes nothing, and remembers nothing of unknown accounts.
// Errors: ErrUnavailable, or that ctx ended.
func (l *Ledger) Balance(ctx context.Context, a Account) (b Balance, err error) {
	if err := l.store.Err(); err != nil {
		return Balance{}, l.explain(err)
	}
	synced := true
	err = l.accounts.update(ctx, a, false, func(e *entry) error {
		b = Balance{Spendable: e.spendable(), Durable: e.balance, Reserved: e.reserved}
		synced = e.sequence <= l.store.Durable()
		return nil
	})
	if err == errUnknown {
		return Balance{}, nil
	}
	if err == nil && !synced {
		b.Durable, err = l.accounts.durable(a)
	}
	return b, l.explain(err)
}

// Each calls f with every account and its durable balance, in the order of the accounts, until f returns an error, which it returns.
// f must not call the ledger.
func (l *Ledger) Each(ctx context.Context, f func(a Account, balance amount.Amount) error) error {
	return l.EachAfter(ctx, nil, f)
}

// explain marks an error of the store, and only such a one, as ErrUnavailable.
func (l *Ledger) explain(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	for _, e := range []error{store.ErrPoisoned, store.ErrClosed, store.ErrNoSpace} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return err
}

// ready says whether new money operations are taken.
func (l *Ledger) ready() error {
	if err := l.store.Ready(); err != nil {
		return l.explain(err)
	}
	if n := l.store.Backlog(); n > busyBacklog {
		return fmt.Errorf("%w: %d groups of changes wait for the disk", ErrBusy, n)
	}
	return nil
}

// change enters a new balance of the account, by other than a charge, into the group, before its event. It is called in a join, with the
// shard of e locked.
func (l *Ledger) change(g *store.Group, a Account, e *entry, balance amount.Amount) {
	l.record(g, a, e)
	l.put(g, a, e, balance)
}

func (l *Ledger) put(g *store.Group, a Account, e *entry, balance amount.Amount) {
	e.sequence, e.balance = g.Sequence(), balance
	value := record{e.balance, e.pending}.encode()
	g.Put(balanceKey(a), value[:])
}

// putTotals puts the totals into a group whose joins have changed them.
func (l *Ledger) putTotals(g *store.Group) {
	if l.unput {
		l.unput = false
		g.Put([]byte(totalsKey), l.totals.encode())
	}
}
