package payer

// This file makes a long journal shorter: the latest payments stay one by one, older ones become a sum for each host and day, and those of more
// than a year ago one for each host and month. A payment that is not over is never summed.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

const (
	// keptPayments is how many payments stay one by one, the latest.
	keptPayments = 4000
	// dailyFor is how long sums are those of a day.
	dailyFor = 400 * 24 * time.Hour
	// shorterFile is what the journal is written to before it takes the other's place.
	shorterFile = journalFile + ".new"
)

// compact replaces the journal by a shorter one, if it is about three times as long as it needs to be. It is called with the lock held. Whenever
// the program or the machine stops, there is the old journal or the new, and both are whole.
func (w *Wallet) compact() error {
	if w.books.lines < 3*w.keeps+w.books.sums+len(w.books.open) {
		return nil
	}
	text, err := w.books.shorter(w.now(), w.keeps)
	if err == nil {
		err = w.replaceJournal(text)
	}
	if err != nil {
		return fmt.Errorf("%w: making %s shorter: %w", ErrWallet, filepath.Join(w.dir, journalFile), err)
	}
	return nil
}

// replaceJournal puts text in the place of the journal. Where another program keeps it from that, as Windows lets it, another time will do.
func (w *Wallet) replaceJournal(text []byte) error {
	name := filepath.Join(w.dir, shorterFile)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil { // of a full disk, what was written takes the room that the next payment needs
		return errors.Join(err, os.Remove(name))
	}
	if err := w.journal.Close(); err != nil {
		return errors.Join(err, os.Remove(name), w.openJournal())
	}
	renamed := os.Rename(name, filepath.Join(w.dir, journalFile))
	if renamed != nil {
		renamed = errors.Join(renamed, os.Remove(name))
	}
	if err := w.openJournal(); err != nil {
		return err
	}
	if err := w.catchUp(); err != nil || runtime.GOOS == "windows" {
		return err
	}
	return renamed
}

// shorter returns a journal that says the same.
func (b *books) shorter(now time.Time, keeps int) ([]byte, error) {
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	for _, e := range b.shortEntries(now, keeps) {
		if err := lines.Encode(e); err != nil {
			return nil, err
		}
	}
	made := newBooks()
	if err := made.addLines(text.Bytes()); err != nil {
		return nil, err
	}
	today := dayOf(now)
	if !maps.Equal(made.hosts, b.hosts) || !maps.Equal(made.payments, b.payments) || !maps.EqualFunc(made.open, b.open, sameEntry) || made.days[today] != b.days[today] {
		return nil, errors.New("the sums would not be those of the journal; it stays as it is")
	}
	return text.Bytes(), nil
}

func sameEntry(a, b entry) bool {
	return a.ID == b.ID && a.Host == b.Host && a.Amount == b.Amount && a.At.Equal(b.At)
}

// shortEntries returns the sums, the payments that are not summed, and what is still in doubt.
func (b *books) shortEntries(now time.Time, keeps int) (entries []entry) {
	sums := map[summed]entry{}
	var single []entry
	for i, s := range b.spent {
		begun, under := b.open[s.ID]
		switch {
		case under:
			single = append(single, begun)
			if ended, told := b.ended[s.ID]; told {
				single = append(single, ended)
			}
		case s.ID != "" && i >= len(b.spent)-keeps:
			single = append(single, entry{At: s.At, Kind: entryPaid, ID: s.ID, Host: s.Host, Amount: s.Amount})
		default:
			of := summedIn(s, now)
			sums[of] = sumWith(sums[of], s)
		}
	}
	entries = slices.SortedFunc(maps.Values(sums), func(a, b entry) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Host, b.Host)) })
	entries = append(entries, single...)
	for _, host := range slices.Sorted(maps.Keys(b.doubts)) {
		if until := b.doubts[host]; until.After(now) {
			entries = append(entries, entry{At: now.UTC(), Kind: entryDoubted, Host: host, Until: until})
		}
	}
	return entries
}

// summed says which payments are summed together.
type summed struct {
	host string
	day  int64 // since 1970; of a month, the first
}

func summedIn(s Spending, now time.Time) summed {
	at := s.At.UTC()
	if now.Sub(at) > dailyFor {
		at = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return summed{s.Host, dayOf(at)}
}

// sumWith adds s to a sum, which may be empty.
func sumWith(sum entry, s Spending) entry {
	last := s.At
	if s.Until.After(last) {
		last = s.Until
	}
	if sum.Count == 0 {
		return entry{At: s.At, Until: last, Kind: entrySummed, Host: s.Host, Amount: s.Amount, Count: s.Payments}
	}
	if s.At.Before(sum.At) {
		sum.At = s.At
	}
	if last.After(sum.Until) {
		sum.Until = last
	}
	sum.Amount, sum.Count = sum.Amount.Saturate(s.Amount), sum.Count+s.Payments
	return sum
}
