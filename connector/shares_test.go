package connector

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// crowd has conditions taken, none twice.
type crowd struct {
	*arrivals
	sent uint64
}

func (c *crowd) pay(from, to ilpcore.AccountID) error {
	var condition [32]byte
	c.sent++
	binary.BigEndian.PutUint64(condition[:], c.sent)
	r := receipt{from: from, to: to}
	if _, err := c.begin(condition, r); err != nil {
		return err
	}
	c.end(condition, r, true)
	return nil
}

// flood pays until somebody is busy, and returns how often that went well.
func (c *crowd) flood(t *testing.T, from ilpcore.AccountID, to ...ilpcore.AccountID) (n int) {
	t.Helper()
	for failed := 0; failed < len(to); n++ {
		if err := c.pay(from, to[n%len(to)]); errors.Is(err, ErrBusy) {
			failed++
		} else if err != nil {
			t.Fatal(err)
		} else {
			failed = 0
		}
	}
	return n - len(to)
}

func TestAFloodHindersNobodyElse(t *testing.T) {
	var elapsed time.Duration
	c := &crowd{arrivals: newArrivals()}
	c.elapsed = func() time.Duration { return elapsed }
	c.shares = newShares(3000)
	many := make([]ilpcore.AccountID, 40)
	for i := range many {
		many[i] = ilpcore.AccountID(fmt.Sprint("account", i))
	}
	one := c.flood(t, "mallory", "trudy")
	if one != 1000 {
		t.Errorf("one sender to one account took %d of 3000, want a third", one)
	}
	if all := one + c.flood(t, "mallory", many...); all < 1400 || all > 1500 {
		t.Errorf("one sender took %d of 3000, want nearly half", all)
	}
	if err := c.pay("mallory", "bob"); err != nil { // mallory is a neighbour, and the flood of somebody behind it
		t.Errorf("behind the same neighbour, to another account: %v", err)
	}
	for i := range 6 {
		from := ilpcore.AccountID(fmt.Sprint("friend", i))
		c.flood(t, from, "trudy", "bob")
		if err := c.pay("alice", "bob"); err != nil {
			t.Errorf("after %d floods: %v", i+2, err)
		}
	}
	elapsed = 14 * time.Minute
	if n := c.flood(t, "mallory", "trudy"); n != 1000 {
		t.Errorf("%d when all was forgotten, want 1000", n)
	}
	elapsed = time.Hour
	c.mu.Lock()
	c.turn()
	c.mu.Unlock()
	if s := c.shares; s.used != 0 || len(s.senders) != 0 || len(s.pairs) != 0 {
		t.Errorf("still counted: %+v", s)
	}
}

// TestWhatWasNotTakenIsNotCounted, however it ended; what the store holds is.
func TestWhatWasNotTakenIsNotCounted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openTestStore(t, dir)
	b := openTestBooks(t, s)
	c := &cashier{deadline: noon.Add(time.Second)}
	now := noon
	n := receivingNode(t, b, c, func() time.Time { return now })
	b.received.shares = newShares(30)
	send := func(from ilpcore.AccountID) error {
		t.Helper()
		n.HandlePrepare(t.Context(), payment(from, byte(len(c.errs))))
		return c.errs[len(c.errs)-1]
	}
	now = c.deadline.Add(1)
	for range 20 {
		if err := send("bob"); !errors.Is(err, ErrTooLate) {
			t.Fatal(err)
		}
	}
	now = noon
	for i := range 20 {
		if err := send("bob"); (err != nil) != (i >= 10) || err != nil && !errors.Is(err, ErrBusy) {
			t.Errorf("payment %d of bob: %v", i, err)
		}
	}
	if err := send("carol"); err != nil {
		t.Errorf("carol pays the account that bob floods: %v", err)
	}
	balancesAre(t, b, map[ilpcore.AccountID]int64{"bob": -100, "carol": -10, "alice": 1100})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openTestBooks(t, openTestStore(t, dir)).received.shares
	if again.used != 11 || again.senders["bob"] != 10 || again.pairs[pair{"carol", "alice"}] != 1 {
		t.Errorf("after a restart: %+v", again)
	}
}
