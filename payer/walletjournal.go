package payer

// This file is the journal of a wallet: a line of JSON for each payment that begins, ends, or may still arrive, and the sums of them.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// journalFile is the name of the journal. It is only ever appended to, but for a last line that a crash left unfinished.
const journalFile = "spending.jsonl"

// The kinds of entries.
const (
	entryReserved = "reserved" // Amount may be spent from now on
	entrySettled  = "settled"  // Amount was spent, or may have been
	entryDoubted  = "doubted"  // a payment to Host may arrive until Until
)

// entry is a line of the journal.
type entry struct {
	At     time.Time     `json:"at"`
	Kind   string        `json:"kind"`
	ID     string        `json:"id,omitempty"` // of the payment
	Host   string        `json:"host"`
	Amount amount.Amount `json:"amount,string"`
	Until  time.Time     `json:"until,omitzero"`
}

// Spending is a payment in a wallet.
type Spending struct {
	ID      string        // 16 hex digits
	At      time.Time     // when it began
	Host    string        // that was paid
	Amount  amount.Amount // that was spent or, if it is open, set aside, in base units of the sender
	Settled bool          // false: it is under way, or its program ended in the middle; it counts as spent
}

// books are the sums of a journal.
type books struct {
	read     int64 // how much of the journal is in them, in bytes
	lines    int
	spent    []Spending
	open     map[string]entry // reservations, by id
	at       map[string]int   // where in spent they are
	hosts    map[string]amount.Amount
	days     map[int64]amount.Amount
	payments map[string]int // how many, by host
	last     map[string]time.Time
	doubts   map[string]time.Time
}

func newBooks() books {
	return books{
		open: map[string]entry{}, at: map[string]int{}, hosts: map[string]amount.Amount{}, days: map[int64]amount.Amount{},
		payments: map[string]int{}, last: map[string]time.Time{}, doubts: map[string]time.Time{},
	}
}

// dayOf counts the days since 1970, in UTC.
func dayOf(t time.Time) int64 { return t.Unix() / 86400 }

// Spendings returns all payments, oldest first.
func (w *Wallet) Spendings() (all []Spending, err error) {
	err = w.locked(func() error {
		all = slices.Clone(w.books.spent)
		return nil
	})
	return all, err
}

// catchUp reads what was appended to the journal since it was read last. It is called with the lock held, so a line without an end was
// left by a crash: nobody was told of it, and it is removed.
func (w *Wallet) catchUp() error {
	if w.books.open == nil {
		w.books = newBooks()
	}
	info, err := w.journal.Stat()
	if err != nil {
		return err
	}
	if info.Size() < w.books.read {
		return fmt.Errorf("%s has become shorter: was it replaced?", w.journal.Name())
	}
	if info.Size() == w.books.read {
		return nil
	}
	b := make([]byte, info.Size()-w.books.read)
	if _, err := w.journal.ReadAt(b, w.books.read); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	whole := bytes.LastIndexByte(b, '\n') + 1
	for line := range bytes.Lines(b[:whole]) {
		w.books.lines++
		var e entry
		if err := json.Unmarshal(line, &e); err != nil || !w.books.add(e) {
			return fmt.Errorf("line %d of %s is damaged: put a copy back, or remove the line if you know what it said", w.books.lines, w.journal.Name())
		}
	}
	w.books.read += int64(whole)
	if whole < len(b) {
		return w.journal.Truncate(w.books.read)
	}
	return nil
}

// append writes an entry and waits until it is on disk.
func (w *Wallet) append(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if _, err := w.journal.Write(line); err != nil {
		return errors.Join(err, w.journal.Truncate(w.books.read))
	}
	if err := w.journal.Sync(); err != nil {
		return err
	}
	if !w.books.add(e) {
		return fmt.Errorf("an entry %q does not fit the others", e.Kind)
	}
	w.books.read += int64(len(line))
	w.books.lines++
	return nil
}

// add counts an entry; ok is false when it makes no sense.
func (b *books) add(e entry) (ok bool) {
	switch e.Kind {
	case entryReserved:
		if _, twice := b.at[e.ID]; twice || e.ID == "" {
			return false
		}
		b.open[e.ID], b.at[e.ID] = e, len(b.spent)
		b.spent = append(b.spent, Spending{ID: e.ID, At: e.At, Host: e.Host, Amount: e.Amount})
		b.hosts[e.Host] = b.hosts[e.Host].Saturate(e.Amount)
		b.days[dayOf(e.At)] = b.days[dayOf(e.At)].Saturate(e.Amount)
		b.payments[e.Host]++
		b.last[e.Host] = e.At
	case entrySettled:
		begun, found := b.open[e.ID]
		rest, fits := begun.Amount.Sub(e.Amount)
		if !found || !fits {
			return false
		}
		delete(b.open, e.ID)
		spent := &b.spent[b.at[e.ID]]
		spent.Amount, spent.Settled = e.Amount, true
		b.hosts[begun.Host], _ = b.hosts[begun.Host].Sub(rest)
		b.days[dayOf(begun.At)], _ = b.days[dayOf(begun.At)].Sub(rest)
	case entryDoubted:
		if e.Until.After(b.doubts[e.Host]) {
			b.doubts[e.Host] = e.Until
		}
	default:
		return false
	}
	return true
}
