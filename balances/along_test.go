package balances

// This file tests what a caller has recorded together with a credit.

import (
	"errors"
	"testing"
	"time"

	"github.com/paydoor/paydoor/store"
)

// companion keeps in the store how often it stands, and notes what it is told.
type companion struct {
	calls  string
	groups []uint64
}

func (c *companion) Put(g *store.Group) {
	c.calls, c.groups = c.calls+"put ", append(c.groups, g.Sequence())
	g.Put([]byte("along"), []byte("stands"))
}

func (c *companion) Keep() { c.calls += "keep " }

func (c *companion) Undo(g *store.Group) {
	c.calls, c.groups = c.calls+"undo ", append(c.groups, g.Sequence())
	g.Delete([]byte("along"))
}

// TestWhatGoesAlongWithACredit is in the same group as it, and in that of its reversal.
func TestWhatGoesAlongWithACredit(t *testing.T) {
	for name, test := range map[string]struct {
		late        bool
		want        error
		calls       string
		first, last uint64 // groups, counted from the one before
		found       error
	}{
		"in time":  {false, nil, "put keep ", 1, 1, nil},
		"too late": {true, ErrTooLate, "put undo ", 1, 2, store.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{})
			before := b.store.Durable()
			b.onFault(func(at store.Point, n uint64) error {
				if at == store.BeforeRelease && n == before+1 && test.late {
					b.clock.pass(2 * time.Second)
				}
				return nil
			})
			var with companion
			c := Credit{Account: account(1), Amount: 5, Condition: condition(1), Deadline: b.clock.now().Add(time.Second), Along: &with}
			_, err := b.Credit(ctx, c)
			is(t, err, test.want)
			if with.calls != test.calls || with.groups[0] != before+test.first || with.groups[len(with.groups)-1] != before+test.last {
				t.Errorf("%s in groups %v after %d", with.calls, with.groups, before)
			}
			if after := b.store.Durable(); after != before+test.last {
				t.Errorf("%d groups, want %d", after-before, test.last)
			}
			if _, err := b.crash().store.Get([]byte("along")); !errors.Is(err, test.found) {
				t.Errorf("after a crash: %v", err)
			}
		})
	}
}

// TestNothingGoesAlongWithACreditThatAddsNothing: a repetition, another content, an amount of 0, and what is refused.
func TestNothingGoesAlongWithACreditThatAddsNothing(t *testing.T) {
	b := newBench(t, Options{})
	c := Credit{Account: account(1), Amount: 5, Condition: condition(1), Max: 9}
	_, err := b.Credit(ctx, c)
	is(t, err, nil)
	for name, edit := range map[string]func(*Credit){
		"repeated":      func(*Credit) {},
		"other content": func(c *Credit) { c.Amount = 4 },
		"nothing":       func(c *Credit) { c.Amount, c.Condition = 0, condition(2) },
		"too much":      func(c *Credit) { c.Condition = condition(3) },
		"late":          func(c *Credit) { c.Condition, c.Deadline = condition(4), b.clock.now().Add(-time.Second) },
	} {
		var with companion
		again := c
		edit(&again)
		again.Along = &with
		_, _ = b.Credit(ctx, again)
		if with.calls != "" {
			t.Errorf("%s: %s", name, with.calls)
		}
	}
}
