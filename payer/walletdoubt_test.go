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

// TestDoubtsOutliveAWrongClock: where the clock goes back and forth, a doubt ends no earlier than the payment that it is of may arrive. Only a program
// that has had the turn for as long as that says that it is over.
func TestDoubtsOutliveAWrongClock(t *testing.T) {
	const wait = packetLifetime + doubtPause
	for name, test := range map[string]struct {
		waits time.Duration // how long the program with the wrong clock stays
		again bool          // half-way, another payment becomes doubtful
		turns bool          // half-way, it leaves the turn
		over  bool          // for that program
	}{
		"it goes at once":    {},
		"it goes early":      {waits: wait - 2*time.Second},
		"it waits":           {waits: wait, over: true},
		"it pays meanwhile":  {waits: wait, again: true},
		"others have a turn": {waits: wait, turns: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, begun := t.TempDir(), time.Now()
				w := openWallet(t, dir, Limits{})
				w.Doubt("shop.example", begun.Add(packetLifetime))
				late, err := OpenWallet(WalletConfig{Dir: dir, Now: func() time.Time { return time.Now().Add(-time.Hour) }})
				if err != nil {
					t.Fatal(err)
				}
				enter := func() func() {
					leave, _, err := late.Enter(t.Context(), "shop.example")
					if err != nil {
						t.Fatal(err)
					}
					return leave
				}
				leave := enter()
				late.Doubtful("shop.example")
				time.Sleep(test.waits / 2)
				if test.again {
					late.Doubt("shop.example", late.now().Add(packetLifetime))
				}
				if test.turns {
					leave()
					leave = enter()
				}
				time.Sleep(test.waits - test.waits/2)
				if left := late.Doubtful("shop.example").Sub(late.now()); (left <= 0) != test.over {
					t.Errorf("it doubts for %s", left)
				}
				leave()
				if until := openWallet(t, dir, Limits{}).Doubtful("shop.example"); !test.over && until.Before(begun.Add(packetLifetime)) {
					t.Errorf("the next doubts until %s after the payment", until.Sub(begun))
				}
			})
		})
	}
}

// TestDoubtsThatCannotBeWritten are told by Close, as all that the wallet could not write.
func TestDoubtsThatCannotBeWritten(t *testing.T) {
	for name, doubt := range map[string]func(w *Wallet){
		"a new one":  func(w *Wallet) { w.Doubt("shop.example", time.Now().Add(time.Second)) },
		"an old one": func(w *Wallet) { w.Doubtful("shop.example") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeJournal(t, dir, []entry{{At: time.Now(), Kind: entryReserved, ID: "ffffffffffffffff", Host: "shop.example", Amount: 7}})
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
