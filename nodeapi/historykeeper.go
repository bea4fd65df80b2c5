package nodeapi

// This file is the history of payments as a whole: what of it is in memory, and how it is forgotten.

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/paydoor/paydoor/store"
)

// history is the payments of all accounts in one store. There is one for each Directory. It is safe for concurrent use.
type history struct {
	store *store.Store

	mu       sync.Mutex // taken in joins, so never held while joining
	paying   map[paymentNumber]struct{}
	arriving map[arrivalKey]*list.Element
	waiting  *list.List // of *incomingPayment, the one whose last packet is oldest first
	group    uint64     // of the last payment that began
	place    uint32     // in it

	sweeping sync.Mutex // one walk at a time
}

// openHistory reads what was coming in when the store was closed.
func openHistory(s *store.Store) (*history, error) {
	h := &history{store: s, paying: make(map[paymentNumber]struct{}), arriving: make(map[arrivalKey]*list.Element), waiting: list.New()}
	var known []*incomingPayment
	err := s.View(func(v *store.View) error {
		return v.Iterate([]byte(arrivingKey), nil, func(key, value []byte) error {
			a, err := readArrival(v, key, value)
			known = append(known, a)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the payments of accounts: %w", err)
	}
	slices.SortFunc(known, func(a, b *incomingPayment) int { return a.changed.Compare(b.changed) })
	for _, a := range known {
		h.arriving[a.key] = h.waiting.PushBack(a)
	}
	return h, nil
}

// next numbers a payment that begins. It is called in a join, with the lock held.
func (h *history) next(g *store.Group) paymentNumber {
	if h.group != g.Sequence() {
		h.group, h.place = g.Sequence(), 0
	}
	h.place++
	return paymentNumber{h.group, h.place}
}

// remove forgets all payments of an account that is gone.
func (h *history) remove(ctx context.Context, uuid string) error {
	for {
		var keys [][]byte
		err := h.store.View(func(v *store.View) error {
			for _, prefix := range []string{paymentKey + uuid + "/", arrivingKey + uuid + "/", forgottenKey + uuid} {
				err := v.Iterate([]byte(prefix), nil, func(key, _ []byte) error {
					if keys = append(keys, slices.Clone(key)); len(keys) == forgottenAtOnce {
						return errEnough
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) || len(keys) == 0 {
			return err
		}
		ticket, err := h.store.Join(func(g *store.Group) {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, key := range keys {
				g.Delete(key)
				h.unlist(key)
			}
		})
		if err == nil {
			err = ticket.Wait(ctx)
		}
		if err != nil {
			return fmt.Errorf("forgetting the payments of an account: %w", err)
		}
	}
}

// unlist takes out what comes in under a key that is deleted. The lock is held.
func (h *history) unlist(key []byte) {
	rest, ok := bytes.CutPrefix(key, []byte(arrivingKey))
	if !ok || len(rest) < 17 {
		return
	}
	k := arrivalKey{string(rest[:len(rest)-17]), [16]byte(rest[len(rest)-16:])}
	if e := h.arriving[k]; e != nil {
		h.waiting.Remove(e)
		delete(h.arriving, k)
	}
}
