package connector

// This file is the balances' place in the store, and how changes get there.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// The format is final; integers are big-endian and signed.
//
//	peer/ ID of an account
//	      version 1 | clearing i64 | prepaid i64
const (
	booksPrefix    = "peer/"
	balanceVersion = 1
	balanceSize    = 1 + 8 + 8
)

// ErrBooks says that a balance in the store is damaged, or was written by a newer version.
var ErrBooks = errors.New("unreadable balance of an account")

func balanceKey(id ilpcore.AccountID) []byte {
	return append(append(make([]byte, 0, len(booksPrefix)+64), booksPrefix...), id...)
}

func putBalance(g *store.Group, e *entry) {
	record := make([]byte, 0, balanceSize)
	record = append(record, balanceVersion)
	record = binary.BigEndian.AppendUint64(record, uint64(e.Clearing))
	record = binary.BigEndian.AppendUint64(record, uint64(e.Prepaid))
	g.Put(balanceKey(e.id), record)
}

func decodeBalance(record []byte) (Balance, error) {
	if len(record) != balanceSize || record[0] != balanceVersion {
		return Balance{}, ErrBooks
	}
	b := Balance{
		Clearing: int64(binary.BigEndian.Uint64(record[1:])),
		Prepaid:  int64(binary.BigEndian.Uint64(record[9:])),
	}
	if _, ok := sum(b.Clearing, b.Prepaid); !ok || b.Prepaid < 0 {
		return Balance{}, ErrBooks
	}
	return b, nil
}

// finishWait is how long the end of a packet that began before the disk was full, or before the store closed, is waited for.
const finishWait = 10 * time.Second

// join has f change balances, with the lock held, and put their records into the store's next group; the function it returns waits until that is
// durable. Without a store the group is nil. When join returns an error f was not called.
func (b *Books) join(f func(*store.Group)) (wait func(context.Context) error, err error) {
	if b.store == nil {
		b.locked(nil, f)
		return func(context.Context) error { return nil }, nil
	}
	ticket, err := b.store.Join(func(g *store.Group) { b.locked(g, f) })
	if err != nil {
		return nil, fmt.Errorf("record a balance: %w", err)
	}
	return func(ctx context.Context) error { return durable(ctx, ticket) }, nil
}

func (b *Books) locked(g *store.Group, f func(*store.Group)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(g)
}

func durable(ctx context.Context, ticket store.Ticket) error {
	if err := ticket.Wait(ctx); err != nil {
		return fmt.Errorf("record a balance: %w", err)
	}
	return nil
}
