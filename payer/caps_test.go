package payer

import (
	"errors"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// TestCapsAddUp reserves and settles in any order, and counts along.
func TestCapsAddUp(t *testing.T) {
	now := time.Unix(86400*20000, 0)
	caps := &Caps{PerHost: 100, PerDay: 150, Now: func() time.Time { return now }}
	steps := []struct {
		host           string
		cost, spent    amount.Amount
		cap            string
		nextDay, leave bool
	}{
		{host: "a", cost: 100, spent: 40},
		{host: "a", cost: 61, cap: "per host"},
		{host: "a", cost: 60, spent: 60},
		{host: "b", cost: 51, cap: "per day"},
		{host: "b", cost: 50, spent: 50},
		{host: "c", cost: 1, cap: "per day"},
		{host: "c", cost: 100, spent: 100, nextDay: true},
		{host: "b", cost: 51, cap: "per host"},
		{host: "b", cost: amount.Max, cap: "per host"},
		{host: "b", cost: 50, leave: true},
		{host: "d", cost: 1, cap: "per day"},
	}
	for i, step := range steps {
		if step.nextDay {
			now = now.Add(24 * time.Hour)
		}
		err := caps.Reserve(step.host, step.cost)
		var above *CapError
		if errors.As(err, &above) != (step.cap != "") || above != nil && above.Cap != step.cap {
			t.Errorf("step %d: %v", i, err)
		}
		if err == nil && !step.leave {
			caps.Settle(step.host, step.cost, step.spent)
		}
	}
}

// What is given back after midnight belongs to the day before, and makes no room for more in the new one.
func TestCapsOfADayThatIsOver(t *testing.T) {
	now := time.Unix(86400*20000-1, 0)
	caps := &Caps{PerDay: 100, Now: func() time.Time { return now }}
	reserve := func(host string, cost amount.Amount, want bool) {
		t.Helper()
		if err := caps.Reserve(host, cost); (err == nil) != want {
			t.Errorf("%s to %s: %v", cost, host, err)
		}
	}
	reserve("a", 60, true)
	reserve("a", 40, true)
	now = now.Add(time.Second)
	reserve("a", 60, true)
	reserve("b", 40, true)
	caps.Settle("a", 60, 0) // that of yesterday
	caps.Settle("a", 40, 1)
	reserve("c", 1, false)
	caps.Settle("a", 60, 10)
	reserve("c", 51, false)
	reserve("c", 50, true)
	caps.Settle("c", 7, 0) // nobody has reserved that
	reserve("c", 1, false)
}

// TestCapsOfAClockThatIsSetBack: a day that comes again is not a new one.
func TestCapsOfAClockThatIsSetBack(t *testing.T) {
	now := time.Unix(86400*20000-1, 0)
	caps := &Caps{PerDay: 100, Now: func() time.Time { return now }}
	for i, step := range []struct {
		move time.Duration
		cost amount.Amount
		want bool
	}{{0, 100, true}, {time.Second, 100, true}, {-time.Second, 1, false}, {time.Second, 1, false}, {24 * time.Hour, 100, true}} {
		now = now.Add(step.move)
		if err := caps.Reserve("a", step.cost); (err == nil) != step.want {
			t.Errorf("step %d: %v", i, err)
		}
	}
}
