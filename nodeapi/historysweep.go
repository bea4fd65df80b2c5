package nodeapi

// This file forgets old payments: those older than the retention of the ledger, and of each account those behind its newest hundred thousand.
// Their sums stay, so that an account's history still adds up to its balance. It walks through all of it once an hour.
// Whoever does that also deletes the old answers to requests with an Idempotency-Key (idempotency.go).

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

const (
	mostPayments    = 100_000   // kept of one account
	forgottenAtOnce = 500       // by one change
	lookedAtOnce    = 5000      // payments in one view of the store
	settledAge      = time.Hour // since the last change of a payment; younger ones are never forgotten
	sweepEvery      = time.Hour
)

// forgotten is the sums of an account's payments that are not kept any more.
type forgotten struct {
	Sent             amount.Sum `json:"-"`
	Received         amount.Sum `json:"-"`
	SentPayments     uint64     `json:"sent_payments"`
	ReceivedPayments uint64     `json:"received_payments"`
	Until            time.Time  `json:"until"` // when the newest of them began
}

// forgottenText is forgotten with its sums in digits.
type forgottenText struct {
	forgotten
	Sent     string `json:"sent"`
	Received string `json:"received"`
}

func (f forgotten) encode() []byte {
	return mustJSON(forgottenText{f, f.Sent.String(), f.Received.String()})
}

// decodeForgotten reads what encode writes. The error is errPayment.
func decodeForgotten(b []byte) (f forgotten, err error) {
	var text forgottenText
	if err = json.Unmarshal(b, &text); err == nil {
		f = text.forgotten
		if f.Sent, err = amount.ParseSum(text.Sent); err == nil {
			f.Received, err = amount.ParseSum(text.Received)
		}
	}
	if err != nil {
		return f, fmt.Errorf("%w: %w", errPayment, err)
	}
	return f, nil
}

// forgottenOf returns what is forgotten of an account; zero where nothing is.
func forgottenOf(v *store.View, uuid string) (forgotten, error) {
	b, err := v.Get([]byte(forgottenKey + uuid))
	if errors.Is(err, store.ErrNotFound) {
		return forgotten{}, nil
	}
	if err != nil {
		return forgotten{}, err
	}
	return decodeForgotten(b)
}

// add counts a payment. 128 bits hold the sums of all that can be kept; what would not fit stays out.
func (f *forgotten) add(p paymentRecord) {
	sum, count := &f.Sent, &f.SentPayments
	if p.details.Direction == received {
		sum, count = &f.Received, &f.ReceivedPayments
	}
	if total, ok := sum.Add(p.units.Sum()); ok {
		*sum = total
	}
	*count++
	if f.Until.Before(p.details.Begun) {
		f.Until = p.details.Begun
	}
}

// sweep is a walk through all payments.
type sweep struct {
	history *history
	old     time.Time // payments whose last change was before are forgotten; zero: none for their age
	settled time.Time // those whose last change was after are not, whatever else
	most    int       // kept of each account

	next []byte // the key to go on with; nil: from the beginning
	uuid string // of the account that the walk is at
	seen int    // payments of it
}

// oldPayments is what a step forgets of one account.
type oldPayments struct {
	uuid string
	sums forgotten
	keys [][]byte
}

// forget walks through all payments, unless somebody else does.
func (h *history) forget(ctx context.Context, now time.Time, retention time.Duration, most int) error {
	if !h.sweeping.TryLock() {
		return nil
	}
	defer h.sweeping.Unlock()
	s := &sweep{history: h, settled: now.Add(-settledAge), most: most}
	if retention > 0 {
		s.old = now.Add(-retention)
	}
	for {
		more, err := s.step(ctx)
		if err != nil || !more || ctx.Err() != nil {
			return err
		}
	}
}

// step looks at some payments, and forgets the old among them, durably. more says that there are others.
func (s *sweep) step(ctx context.Context) (more bool, err error) {
	var old []*oldPayments
	err = s.history.store.View(func(v *store.View) (err error) {
		old, more, err = s.look(v)
		return err
	})
	if err != nil || len(old) == 0 {
		return more, err
	}
	ticket, err := s.history.store.Join(func(g *store.Group) {
		for _, o := range old {
			g.Put([]byte(forgottenKey+o.uuid), o.sums.encode())
			for _, key := range o.keys {
				g.Delete(key)
			}
		}
	})
	if err == nil {
		err = ticket.Wait(context.WithoutCancel(ctx)) // the next step, or the next walk, reads the sums
	}
	return more, err
}

func (s *sweep) look(v *store.View) (old []*oldPayments, more bool, err error) {
	looked, found := 0, 0
	err = v.Iterate([]byte(paymentKey), s.next, func(key, value []byte) error {
		if looked++; looked > lookedAtOnce || found >= forgottenAtOnce {
			s.next, more = slices.Clone(key), true
			return errEnough
		}
		uuid, _, _ := strings.Cut(string(key[len(paymentKey):]), "/")
		if uuid != s.uuid {
			s.uuid, s.seen = uuid, 0
		}
		s.seen++
		p, err := readRecord(key, value)
		if err != nil || p.changed.After(s.settled) || s.seen <= s.most && !p.changed.Before(s.old) {
			return nil //nolint:nilerr // whoever asks for it is told
		}
		if len(old) == 0 || old[len(old)-1].uuid != uuid {
			sums, err := forgottenOf(v, uuid)
			if err != nil {
				return err
			}
			old = append(old, &oldPayments{uuid: uuid, sums: sums})
		}
		o := old[len(old)-1]
		o.sums.add(p)
		o.keys, found = append(o.keys, slices.Clone(key)), found+1
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return old, more, err
}

// errEnough ends a walk.
var errEnough = errors.New("enough")

// sweeper forgets old payments, and old answers to requests, once an hour, between start and stop.
type sweeper struct {
	mu      sync.Mutex
	cancel  context.CancelFunc // nil while it does not run
	running sync.WaitGroup
}

// start begins, with a walk at once.
func (s *sweeper) start(a *API) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.running.Go(func() {
		ticker := time.NewTicker(sweepEvery)
		defer ticker.Stop()
		for ctx.Err() == nil {
			if err := a.directory.history.forget(ctx, a.now(), a.retention, mostPayments); err != nil && ctx.Err() == nil {
				a.logger.Warn("old payments could not be forgotten", zap.Error(err))
			}
			if err := a.directory.deleteAnswers(ctx, a.now().Add(-answerLifetime-keyRefresh)); err != nil && ctx.Err() == nil {
				a.logger.Warn("old answers to payments and settlements could not be deleted", zap.Error(err))
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	})
}

// stop ends it, and waits for that.
func (s *sweeper) stop() {
	s.mu.Lock()
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
	s.mu.Unlock()
	s.running.Wait()
}
