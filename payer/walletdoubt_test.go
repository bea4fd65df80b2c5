package payer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/paywall"
)

// buy has a program of its own get a page, and returns how long that took and what the wallet has spent today.
func buy(t *testing.T, s *site, dir string) (took time.Duration, today amount.Amount) {
	t.Helper()
	w := openWallet(t, dir, Limits{})
	c, _ := client(s, s.receiver, w)
	began := time.Now()
	response, err := c.Get("https://shop.example/")
	if err != nil {
		t.Fatal(err)
	}
	if discard(response); response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
	took = time.Since(began)
	if today, err = w.SpentToday(); err != nil {
		t.Error(err)
	}
	w.note(func() error { return w.replaceJournalForTest() })
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	return took, today
}

// replaceJournalForTest makes the journal shorter now.
func (w *Wallet) replaceJournalForTest() error {
	text, err := w.books.shorter(w.now(), w.keeps)
	if err != nil {
		return err
	}
	return w.replaceJournal(text)
}

// TestLongPaymentOfAKilledProgram has a program end minutes after its payment began. What it sent last may still arrive, so the next program asks before it
// pays; the ones after that need not ask again.
func TestLongPaymentOfAKilledProgram(t *testing.T) {
	for _, arrives := range []bool{true, false} {
		t.Run(fmt.Sprint("arrives ", arrives), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, s := t.TempDir(), newSite(t, paywall.Rule{Price: 10})
				first := openWallet(t, dir, Limits{})
				if err := first.Reserve("shop.example", 10); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Minute)
				if err := first.closeFiles(); err != nil { // as when the process ends
					t.Fatal(err)
				}
				if arrives {
					time.AfterFunc(20*time.Second, func() {
						if err := s.give("shop.example", 10); err != nil {
							t.Error(err)
						}
					})
				}
				took, today := buy(t, s, dir)
				if arrives && (today != 10 || took > 22*time.Second) || !arrives && (today != 20 || took < packetLifetime || took > packetLifetime+5*time.Second) {
					t.Errorf("%s were spent, after %s", today, took)
				}
				if took, again := buy(t, s, dir); again != today+10 || took > 15*time.Second {
					t.Errorf("the next spent %s, after %s", again-today, took)
				}
			})
		})
	}
}

// TestDoubtsOfAWrongClock have programs of next year in the journal: a request waits as long as a payment may take, not until then, and the ones after
// it need not wait again.
func TestDoubtsOfAWrongClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, s := t.TempDir(), newSite(t, paywall.Rule{Price: 10})
		later := time.Now().Add(365 * 24 * time.Hour)
		writeJournal(t, dir, []entry{
			{At: later, Kind: entryReserved, ID: "ffffffffffffffff", Host: "shop.example", Amount: 7},
			{At: later, Kind: entryDoubted, Host: "shop.example", Until: later.Add(packetLifetime)},
		})
		if took, today := buy(t, s, dir); took < packetLifetime || took > 65*time.Second || today != 10 {
			t.Errorf("%s were spent, after %s", today, took)
		}
		for spent := amount.Amount(20); spent <= 30; spent += 10 { // the first leaves a journal that was made shorter
			if took, today := buy(t, s, dir); took > 15*time.Second || today != spent {
				t.Errorf("the next: %s were spent, after %s", today, took)
			}
		}
	})
}

// TestDoubtsBehindAWrongClock end no earlier than a payment that was made just before may arrive, whatever the clock was then.
func TestDoubtsBehindAWrongClock(t *testing.T) {
	now := time.Now()
	b := newBooks()
	for _, e := range []entry{
		{At: now.Add(time.Hour), Until: now.Add(time.Hour + packetLifetime)},
		{At: now, Until: now.Add(time.Second)}, // the clock was put right between the two
	} {
		e.Kind, e.Host = entryDoubted, "shop.example"
		if !b.add(e) {
			t.Fatal(e)
		}
	}
	if left := b.doubts["shop.example"].Sub(now); left < packetLifetime || left > longestDoubt {
		t.Errorf("doubted for %s", left)
	}
}

// TestDoubtsThatCannotBeWritten are told by Close, as all that the wallet could not write.
func TestDoubtsThatCannotBeWritten(t *testing.T) {
	for name, doubt := range map[string]func(w *Wallet){
		"a new one":     func(w *Wallet) { w.Doubt("shop.example", time.Now().Add(time.Second)) },
		"an old one":    func(w *Wallet) { w.Doubtful("shop.example") },
		"an absurd one": func(w *Wallet) { w.Doubtful("late.example") },
	} {
		t.Run(name, func(t *testing.T) {
			dir, later := t.TempDir(), time.Now().Add(time.Hour)
			writeJournal(t, dir, []entry{
				{At: time.Now(), Kind: entryReserved, ID: "ffffffffffffffff", Host: "shop.example", Amount: 7},
				{At: later, Kind: entryDoubted, Host: "late.example", Until: later},
			})
			w := openWallet(t, dir, Limits{})
			leave, _, err := w.Enter(t.Context(), "shop.example")
			if err != nil {
				t.Fatal(err)
			}
			defer leave()
			if err := w.journal.Close(); err != nil {
				t.Fatal(err)
			}
			if w.journal, err = os.Open(filepath.Join(dir, journalFile)); err != nil {
				t.Fatal(err)
			}
			if doubt(w); !errors.Is(w.Close(), ErrWallet) {
				t.Errorf("failed with %v", w.failed)
			}
		})
	}
}
