package payer

// This file is the journal of a wallet: a line of JSON for each payment that begins, ends, or may still arrive, and the sums of them. What is old
// becomes less (walletcompact.go).

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// journalFile is the name of the journal. It is appended to, loses a last line that a crash left unfinished, and is replaced as a whole by a
// shorter one that says the same.
const journalFile = "spending.jsonl"

// The kinds of entries.
const (
	entryReserved = "reserved" // Amount may be spent from now on
	entrySettled  = "settled"  // Amount was spent, or may have been
	entryDoubted  = "doubted"  // a payment to Host may arrive until Until; with ID, that of a program that ended in the middle of it
	entryPaid     = "paid"     // both of the first two, in a journal that was made shorter
	entrySummed   = "summed"   // Count payments to Host from At to Until spent Amount together; they are settled, and of one day, or long ago
)

var entryKinds = []string{entryReserved, entrySettled, entryDoubted, entryPaid, entrySummed}

// entry is a line of the journal.
type entry struct {
	At     time.Time     `json:"at"`
	Kind   string        `json:"kind"`
	ID     string        `json:"id,omitempty"` // of the payment
	Host   string        `json:"host"`
	Amount amount.Amount `json:"amount,string"`
	Until  time.Time     `json:"until,omitzero"`
	Over   time.Time     `json:"over,omitzero"` // the doubt until then, of a wrong clock, is over
	Count  int           `json:"count,omitempty"`
}

// Spending is a payment in a wallet, or several old ones together.
type Spending struct {
	ID       string        // 16 hex digits; "": several
	At       time.Time     // when it began, or the first of several
	Until    time.Time     // when the last of several began; zero: it is one
	Host     string        // that was paid
	Payments int           // how many they are
	Amount   amount.Amount // that was spent or, if it is open, set aside, in base units of the sender
	Settled  bool          // false: it is under way, or its program ended in the middle; it counts as spent
}

// books are the sums of a journal.
type books struct {
	read     int64 // how much of the journal is in them, in bytes
	lines    int
	sums     int // of several payments each
	spent    []Spending
	open     map[string]entry // reservations, by id
	at       map[string]int   // where in spent they are
	hosts    map[string]amount.Amount
	days     map[int64]amount.Amount
	payments map[string]int // how many, by host
	last     map[string]time.Time
	doubts   map[string]time.Time
	ended    map[string]entry // the last word on open payments whose program has ended, by id
}

func newBooks() books {
	return books{
		open: map[string]entry{}, at: map[string]int{}, hosts: map[string]amount.Amount{}, days: map[int64]amount.Amount{},
		payments: map[string]int{}, last: map[string]time.Time{}, doubts: map[string]time.Time{}, ended: map[string]entry{},
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

// openJournal opens the journal that is there now, and makes one if there is none. Whatever put it there is made to last.
func (w *Wallet) openJournal() (err error) {
	w.books = newBooks()
	if w.journal, err = os.OpenFile(filepath.Join(w.dir, journalFile), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	return syncDir(w.dir)
}

// catchUp reads what was appended to the journal since it was read last, or all of it if another program has replaced it. It is called with the
// lock held, so a line without an end was left by a crash: nobody was told of it, and it is removed.
func (w *Wallet) catchUp() error {
	info, err := w.journal.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(w.journal.Name())
	if err != nil {
		return err
	}
	if !os.SameFile(info, there) {
		if err := errors.Join(w.journal.Close(), w.openJournal()); err != nil {
			return err
		}
		info = there
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
	if err := w.books.addLines(b[:whole]); err != nil {
		w.books = newBooks() // which have a part of it; the next to ask reads all anew
		return fmt.Errorf("%s: %w", w.journal.Name(), err)
	}
	if whole < len(b) {
		return w.mend(b[whole:])
	}
	return nil
}

// mend ends the line that tail begins if only its end is missing, as some editors leave it: what it says was paid. Else it takes it away.
func (w *Wallet) mend(tail []byte) error {
	var e entry
	if err := json.Unmarshal(tail, &e); err != nil || !w.books.fits(e) {
		return w.cut()
	}
	if _, err := w.journal.Write([]byte("\n")); err != nil {
		return err
	}
	return w.books.addLines(append(tail, '\n'))
}

// cut takes away what is behind the last whole line. It does so by name: on Windows a file that is open to be appended to cannot be cut.
func (w *Wallet) cut() error { return os.Truncate(w.journal.Name(), w.books.read) }

// addLines counts whole lines.
func (b *books) addLines(text []byte) error {
	for line := range bytes.Lines(text) {
		b.lines++
		var e entry
		if err := json.Unmarshal(line, &e); err != nil || !b.add(e) {
			if err == nil && e.Kind != "" && !slices.Contains(entryKinds, e.Kind) {
				return fmt.Errorf("line %d is of a kind %.20q that this program does not know: use the newer one that wrote it", b.lines, e.Kind)
			}
			return fmt.Errorf("damage in line %d: put a copy back, or remove the line if you know what it said", b.lines)
		}
	}
	b.read += int64(len(text))
	return nil
}

// append writes an entry and waits until it is on disk. One that does not fit, because the journal is another by now, would damage it. The error wraps
// ErrWallet.
func (w *Wallet) append(e entry) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrWallet, err)
		}
	}()
	if !w.books.fits(e) {
		return fmt.Errorf("an entry %q does not fit those of %s: was it replaced?", e.Kind, w.journal.Name())
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if _, err := w.journal.Write(line); err != nil {
		return errors.Join(err, w.cut())
	}
	if err := w.journal.Sync(); err != nil {
		return err
	}
	w.books.add(e)
	w.books.read += int64(len(line))
	w.books.lines++
	return nil
}

// fits says whether an entry makes sense behind the others.
func (b *books) fits(e entry) bool {
	switch e.Kind {
	case entryReserved, entryPaid:
		_, twice := b.at[e.ID]
		return !twice && e.ID != ""
	case entrySettled:
		begun, found := b.open[e.ID]
		return found && e.Amount <= begun.Amount
	case entrySummed:
		return e.Count >= 1 && !e.Until.Before(e.At)
	}
	return e.Kind == entryDoubted
}

// add counts an entry; ok is false when it makes no sense.
func (b *books) add(e entry) (ok bool) {
	if !b.fits(e) {
		return false
	}
	switch e.Kind {
	case entryReserved:
		b.begin(Spending{ID: e.ID, At: e.At, Host: e.Host, Payments: 1, Amount: e.Amount})
		b.open[e.ID] = e
	case entrySettled:
		begun := b.open[e.ID]
		delete(b.open, e.ID)
		delete(b.ended, e.ID)
		spent := &b.spent[b.at[e.ID]]
		spent.Amount, spent.Settled = e.Amount, true
		rest, _ := begun.Amount.Sub(e.Amount)
		b.hosts[begun.Host], _ = b.hosts[begun.Host].Sub(rest)
		b.days[dayOf(begun.At)], _ = b.days[dayOf(begun.At)].Sub(rest)
	case entryPaid:
		b.begin(Spending{ID: e.ID, At: e.At, Host: e.Host, Payments: 1, Amount: e.Amount, Settled: true})
	case entrySummed:
		b.sums++
		b.count(Spending{At: e.At, Until: e.Until, Host: e.Host, Payments: e.Count, Amount: e.Amount, Settled: true})
	case entryDoubted:
		if _, found := b.open[e.ID]; found {
			b.ended[e.ID] = e
		}
		kept := b.doubts[e.Host]
		if !e.Over.IsZero() && kept.Equal(e.Over) {
			kept = e.Until
		}
		b.doubts[e.Host] = latest(kept, e.Until)
	}
	return true
}

// begin counts a payment of its own.
func (b *books) begin(s Spending) {
	b.at[s.ID] = len(b.spent)
	b.count(s)
}

func (b *books) count(s Spending) {
	b.spent = append(b.spent, s)
	b.hosts[s.Host] = b.hosts[s.Host].Saturate(s.Amount)
	b.days[dayOf(s.At)] = b.days[dayOf(s.At)].Saturate(s.Amount)
	b.payments[s.Host] += s.Payments
	for _, at := range []time.Time{s.At, s.Until} {
		if at.After(b.last[s.Host]) {
			b.last[s.Host] = at
		}
	}
}
