package balances

// This file tests crediting: once per condition, across restarts and clock jumps, and not after the deadline.

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/store"
)

func TestP2P8Duplicates(t *testing.T) {
	b := newBench(t, Options{})
	a, other := account(1), account(2)
	c := Credit{Account: a, Amount: 10, Condition: condition(1), Digest: digest("d")}
	changed := func(f func(c *Credit)) Credit {
		c := c
		f(&c)
		return c
	}
	cases := []struct {
		name     string
		credit   Credit
		repeated bool
		err      error
	}{
		{"the same", c, true, nil},
		{"past its deadline", changed(func(c *Credit) { c.Deadline = b.clock.now().Add(-time.Hour) }), true, nil},
		{"above the maximum", changed(func(c *Credit) { c.Max = 1 }), true, nil},
		{"another amount", changed(func(c *Credit) { c.Amount++ }), false, ErrMismatch},
		{"amount 0", changed(func(c *Credit) { c.Amount = 0 }), false, ErrMismatch},
		{"another account", changed(func(c *Credit) { c.Account = other }), false, ErrMismatch},
		{"another digest", changed(func(c *Credit) { c.Digest = digest("e") }), false, ErrMismatch},
	}
	if repeated, err := b.Credit(ctx, c); repeated || err != nil {
		t.Fatal(repeated, err)
	}
	try := func(when string, b *bench) {
		before := b.store.Durable()
		for _, k := range cases {
			if repeated, err := b.Credit(ctx, k.credit); repeated != k.repeated || err != k.err {
				t.Errorf("%s, %s: %v, %v", when, k.name, repeated, err)
			}
		}
		if n := b.store.Durable(); n != before {
			t.Errorf("%s: %d groups written", when, n-before)
		}
		b.want(a, 10, 0)
		b.want(other, 0, 0)
	}
	try("at once", b)
	b.clock.pass(9 * time.Minute)
	try("after 9 minutes", b)
	b.reopen()
	try("after reopening", b)
	try("after a crash", b.crash())
	b.clock.jump(10 * 365 * 24 * time.Hour)
	try("after a jump forward", b)
	b.reopen()
	try("after reopening in the future", b)
	b.clock.jump(-20 * 365 * 24 * time.Hour)
	try("after a jump back", b)
	b.reopen()
	try("after reopening in the past", b)
	b.audit()
}

func TestConditionsAreForgottenAndTheirRecordsDeleted(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	const first = 2500
	var wg sync.WaitGroup
	for w := range 50 {
		wg.Go(func() {
			for n := w; n < first; n += 50 {
				if _, err := b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(n)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	records := func() (n int) {
		is(t, b.store.Iterate([]byte(creditPrefix), func(_, _ []byte) error { n++; return nil }), nil)
		return n
	}
	if n := records(); n != first {
		t.Fatalf("%d records", n)
	}
	b.clock.pass(10 * time.Minute)
	if repeated, err := b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(0)}); !repeated || err != nil {
		t.Fatal(repeated, err)
	}
	b.clock.pass(time.Minute)
	if repeated, err := b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(0)}); repeated || err != nil {
		t.Fatal(repeated, err)
	}
	// The rest goes with later credits, also across a restart.
	const later = 400
	for w := range 50 {
		wg.Go(func() {
			for n := w; n < later; n += 50 {
				if n == 7 {
					continue
				}
				if _, err := b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(first + n)}); err != nil {
					t.Error(err)
				}
			}
		})
		if w == 25 {
			wg.Wait()
			b.reopen()
		}
	}
	wg.Wait()
	want := later
	for ; records() > want+sweepPerJoin && want < 2*later; want++ { // some joins had none to delete while another looked them up
		if _, err := b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(first + want)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := records(); n < want || n > want+sweepPerJoin {
		t.Fatalf("%d records are left, want %d", n, want)
	}
	if repeated, err := b.Credit(ctx, Credit{Account: a, Amount: 1, Condition: condition(first + 1)}); !repeated || err != nil {
		t.Fatal(repeated, err)
	}
	b.audit()
}

// A credit is known for ten minutes from wherever in a minute it is made, and not for much longer.
func TestP2ConditionsAreKnownForTenMinutes(t *testing.T) {
	for _, into := range []time.Duration{0, time.Second, 30 * time.Second, 59 * time.Second, time.Minute - 1} {
		var elapsed time.Duration
		k := &known{start: time.Unix(1_800_000_000, 0).Add(into), elapsed: func() time.Duration { return elapsed }}
		k.add(k.forgetAt(), condition(1))
		for _, c := range []struct {
			after time.Duration
			known bool
		}{{0, true}, {9 * time.Minute, true}, {10*time.Minute - 1, true}, {10 * time.Minute, true}, {11 * time.Minute, false}} {
			elapsed = c.after
			if found := len(k.find(condition(1))) == 1; found != c.known {
				t.Errorf("made %v into a minute, after %v: known %v", into, c.after, found)
			}
		}
	}
}

func TestTooManyCreditsAreBusy(t *testing.T) {
	b := newBench(t, Options{Remember: 3})
	for n := range 3 {
		_, err := b.Credit(ctx, Credit{Account: account(1), Amount: 1, Condition: condition(n)})
		is(t, err, nil)
	}
	_, err := b.Credit(ctx, Credit{Account: account(1), Amount: 1, Condition: condition(3)})
	is(t, err, ErrBusy)
	b.clock.pass(11 * time.Minute)
	_, err = b.Credit(ctx, Credit{Account: account(1), Amount: 1, Condition: condition(3)})
	is(t, err, nil)
	b.want(account(1), 4, 0)
}

func TestP2ConcurrentDuplicates(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	var fresh, repeats, mismatches atomic.Int64
	var wg sync.WaitGroup
	for w := range 60 {
		wg.Go(func() {
			for n := range 10 {
				c := Credit{Account: a, Amount: 2, Condition: condition(n)}
				if w%6 == 5 {
					c.Digest = digest("other")
				}
				repeated, err := b.Credit(ctx, c)
				switch {
				case err == ErrMismatch:
					mismatches.Add(1)
				case err != nil:
					t.Error(err)
				case repeated:
					repeats.Add(1)
				default:
					fresh.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if fresh.Load() != 10 || repeats.Load()+mismatches.Load() != 590 || mismatches.Load() == 0 {
		t.Fatalf("%d credits, %d repetitions, %d mismatches", fresh.Load(), repeats.Load(), mismatches.Load())
	}
	b.want(a, 20, 0)
	b.audit()
}

func TestRepetitionWaitsForTheFirst(t *testing.T) {
	b := newBench(t, Options{})
	release := b.holdCommits()
	c := Credit{Account: account(1), Amount: 2, Condition: condition(1)}
	type outcome struct {
		repeated bool
		err      error
	}
	outcomes := make(chan outcome, 3)
	for range 2 {
		go func() {
			repeated, err := b.Credit(ctx, c)
			outcomes <- outcome{repeated, err}
		}()
	}
	go func() {
		c := c
		c.Amount++
		repeated, err := b.Credit(ctx, c)
		outcomes <- outcome{repeated, err}
	}()
	select {
	case o := <-outcomes:
		t.Fatalf("%+v before anything was durable", o)
	case <-time.After(20 * time.Millisecond):
	}
	release()
	counts := map[string]int{}
	for range 3 {
		counts[fmt.Sprint(<-outcomes)]++
	}
	if counts["{false <nil>}"] != 1 || counts["{true <nil>}"]+counts[fmt.Sprint(outcome{false, ErrMismatch})] != 2 {
		t.Fatal(counts)
	}
	b.audit()
}

func TestP3LateCreditIsTakenBackAndNeverSpendable(t *testing.T) {
	for name, late := range map[string]func(c *testClock){
		"by the wall clock":                         func(c *testClock) { c.pass(2 * time.Second) },
		"by elapsed time, with the wall clock back": func(c *testClock) { c.move(-time.Hour, 2*time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{})
			a := account(1)
			b.give(a, 1)
			first := b.store.Durable() + 1
			reached, hold := make(chan struct{}), make(chan struct{})
			b.onFault(func(at store.Point, n uint64) error {
				if at == store.BeforeRelease && n == first {
					late(b.clock)
				}
				if at == store.BeforeCommit && n == first+1 { // the group that takes it back
					close(reached)
					<-hold
				}
				return nil
			})
			c := Credit{Account: a, Amount: 5, Condition: condition(1), Deadline: b.clock.now().Add(time.Second)}
			done := make(chan error, 1)
			go func() {
				_, err := b.Credit(ctx, c)
				done <- err
			}()
			<-reached
			b.want(a, 1, 0)
			_, err := b.Reserve(ctx, a, 2)
			is(t, err, ErrInsufficient)
			close(hold)
			is(t, <-done, ErrTooLate)
			b.want(a, 1, 0)
			r := b.audit()
			if r.Totals.Reversals != (Sum{Lo: 5}) {
				t.Fatalf("%+v", r)
			}
			crashed := b.crash()
			crashed.want(a, 1, 0)
			crashed.audit()
			c.Deadline = b.clock.now().Add(time.Second)
			if repeated, err := b.Credit(ctx, c); repeated || err != nil { // in time now
				t.Fatal(repeated, err)
			}
			b.want(a, 6, 0)
			b.reopen()
			if repeated, err := b.Credit(ctx, c); !repeated || err != nil {
				t.Fatal(repeated, err)
			}
			b.want(a, 6, 0)
			b.audit()
		})
	}
}

func TestCreditInTimeIsKept(t *testing.T) {
	b := newBench(t, Options{})
	b.onFault(func(at store.Point, _ uint64) error {
		if at == store.BeforeRelease {
			b.clock.pass(time.Second)
		}
		return nil
	})
	_, err := b.Credit(ctx, Credit{Account: account(1), Amount: 5, Condition: condition(1), Deadline: b.clock.now().Add(time.Second)})
	is(t, err, nil)
	b.want(account(1), 5, 0)
}

// A waiter of a credit that came too late makes its own attempt, with its own deadline.
func TestLateFirstLeavesTheConditionToTheSecond(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	release := b.holdCommits()
	c := Credit{Account: a, Amount: 5, Condition: condition(1), Deadline: b.clock.now().Add(time.Second)}
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { _, err := b.Credit(ctx, c); first <- err }()
	for b.store.Backlog() == 0 {
		time.Sleep(time.Millisecond)
	}
	go func() {
		c := c
		c.Deadline = c.Deadline.Add(time.Hour)
		repeated, err := b.Credit(ctx, c)
		if repeated {
			err = fmt.Errorf("repeated")
		}
		second <- err
	}()
	b.clock.pass(time.Minute)
	release()
	is(t, <-first, ErrTooLate)
	is(t, <-second, nil)
	b.want(a, 5, 0)
	b.audit()
}

func TestCreditWhoseCallerLeftGoesOn(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	release := b.holdCommits()
	leaving, leave := context.WithCancel(ctx)
	c := Credit{Account: a, Amount: 5, Condition: condition(1), Deadline: b.clock.now().Add(time.Second)}
	done := make(chan error, 1)
	go func() {
		_, err := b.Credit(leaving, c)
		done <- err
	}()
	for b.store.Backlog() == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
	err := <-done
	is(t, err, ErrUnavailable)
	is(t, err, context.Canceled)
	release()
	if repeated, err := b.Credit(ctx, c); !repeated || err != nil {
		t.Fatal(repeated, err)
	}
	b.want(a, 5, 0)
	b.reopen()
	b.want(a, 5, 0)
	b.audit()
}

// The deadline is checked again for a caller who left, and for a store that closes.
func TestLateCreditIsTakenBackWhileClosing(t *testing.T) {
	b := newBench(t, Options{})
	a := account(1)
	release := b.holdCommits()
	done := make(chan error, 1)
	go func() {
		_, err := b.Credit(ctx, Credit{Account: a, Amount: 5, Condition: condition(1), Deadline: b.clock.now().Add(time.Second)})
		done <- err
	}()
	for b.store.Backlog() == 0 {
		time.Sleep(time.Millisecond)
	}
	b.clock.pass(time.Minute)
	closed := make(chan error, 1)
	go func() { closed <- b.store.Close() }()
	for b.store.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	release()
	is(t, <-done, ErrTooLate)
	is(t, <-closed, nil)
	b.open()
	b.want(a, 0, 0)
	if r := b.audit(); r.Totals.Reversals != (Sum{Lo: 5}) {
		t.Fatalf("%+v", r)
	}
}

// TestDistantDeadline: a deadline thousands of years ahead is no overflow, and so not late.
func TestDistantDeadline(t *testing.T) {
	b := newBench(t, Options{})
	b.clock.pass(time.Hour)
	c := Credit{Account: account(1), Amount: 10, Condition: condition(1), Digest: digest("d"), Deadline: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	if repeated, err := b.Credit(ctx, c); repeated || err != nil {
		t.Fatal(repeated, err)
	}
	b.want(account(1), 10, 0)
}
