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

// join takes a change into the store; the function it returns waits until it is durable. The lock is held, so that changes get there in the
// order in which they were made. An error means that nothing was changed.
func (b *Books) join(f func(*store.Group)) (wait func(context.Context) error, err error) {
	if b.store == nil {
		return func(context.Context) error { return nil }, nil
	}
	ticket, err := b.store.Join(f)
	if err != nil {
		return nil, fmt.Errorf("record a balance: %w", err)
	}
	return func(ctx context.Context) error { return durable(ctx, ticket) }, nil
}

// finish is join for a packet that a neighbour has already fulfilled: its record is small, and has its place in what the store keeps free
// when it takes nothing new. Then late is set, and the store may be closed before the record is durable.
func (b *Books) finish(f func(*store.Group)) (ticket store.Ticket, late bool, err error) {
	ticket, err = b.store.Join(f)
	if errors.Is(err, store.ErrNoSpace) {
		ticket, err = b.store.FollowUp(f)
		return ticket, true, err
	}
	return ticket, false, err
}

func durable(ctx context.Context, ticket store.Ticket) error {
	if err := ticket.Wait(ctx); err != nil {
		return fmt.Errorf("record a balance: %w", err)
	}
	return nil
}
