package balances

// This file compares the ledger with a sequential model of it, under random operations, crashes and clock jumps.

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// model is what the ledger should be: written to be obviously right.
type model struct {
	balance  map[Account]amount.Amount
	reserved map[Account]amount.Amount
	credited map[[32]byte]Credit
	at       map[[32]byte]time.Duration // when it was credited, by the duplicate clock
	before   time.Duration              // the duplicate clock less the time elapsed: it stands still while the ledger is closed,
	kept     time.Duration              // and goes on from its reading at the last credit
	open     []*Reservation
	price    map[*Reservation]amount.Amount
	account  map[*Reservation]Account
	adjusted map[string]adjustedAt
	latest   time.Time // what the wall clock has shown at most: what is old by it may be forgotten
	totals   Totals
}

// adjustedAt is an adjustment with an ID, and when it was made by the wall clock.
type adjustedAt struct {
	Adjustment
	at time.Time
}

func newModel() *model {
	m := &model{balance: map[Account]amount.Amount{}, credited: map[[32]byte]Credit{}, at: map[[32]byte]time.Duration{}, adjusted: map[string]adjustedAt{}}
	m.forgetReservations()
	return m
}

func (m *model) forgetReservations() {
	m.reserved, m.open = map[Account]amount.Amount{}, nil
	m.price, m.account = map[*Reservation]amount.Amount{}, map[*Reservation]Account{}
}

func (m *model) credit(c Credit, now time.Duration) {
	m.balance[c.Account] += c.Amount
	m.credited[c.Condition], m.at[c.Condition], m.kept = c, now, now
	m.totals.count(Event{Kind: Credited, Amount: c.Amount})
}

// made lists the credits in the order of their conditions.
func (m *model) made() (list []Credit) {
	for n := range modelConditions {
		if c, ok := m.credited[condition(n)]; ok {
			list = append(list, c)
		}
	}
	return list
}

func (m *model) charge(a Account, charge amount.Amount) {
	if charge > 0 {
		m.balance[a] -= charge
		m.totals.count(Event{Kind: Settled, Count: 1, Charges: Sum{Lo: uint64(charge)}})
	}
}

func (m *model) spendable(a Account) amount.Amount { return m.balance[a] - m.reserved[a] }

const modelConditions = 13

var drawAmount = rapid.OneOf(rapid.Uint64Range(0, 20), rapid.Uint64Range(0, 20), rapid.SampledFrom([]uint64{1 << 62, 1<<64 - 1, 1<<64 - 20}))

func TestP1ToP8Model(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBenchOn(t, Options{CacheSize: 1, Retention: modelRetention}, rapid.Bool().Draw(rt, "journal"))
		m := newModel()
		b.t = fataler{t, rt}
		rt.Repeat(map[string]func(*rapid.T){
			"credit":  func(rt *rapid.T) { b.modelCredit(rt, m) },
			"reserve": func(rt *rapid.T) { b.modelReserve(rt, m) },
			"finish":  func(rt *rapid.T) { b.modelFinish(rt, m) },
			"adjust":  func(rt *rapid.T) { b.modelAdjust(rt, m) },
			"time": func(rt *rapid.T) {
				b.clock.pass(time.Duration(rapid.OneOf(rapid.IntRange(0, 120), rapid.IntRange(0, 700)).Draw(rt, "seconds")) * time.Second)
				b.clock.jump(time.Duration(rapid.SampledFrom([]int{0, 0, 3600, -3600, 1e9, -1e9}).Draw(rt, "jump")) * time.Second)
			},
			"restart": func(rt *rapid.T) {
				b.modelRestart(rt, m)
			},
			"fail":   func(rt *rapid.T) { b.modelFailure(rt, m) },
			"forget": func(rt *rapid.T) { b.modelForget(rt, m) },
			"":       func(rt *rapid.T) { b.modelCheck(rt, m) },
		})
		b.reopen()
		total := Sum{}
		for a, n := range m.balance {
			b.want(a, n, 0)
			total = total.Plus(n)
		}
		if r := b.audit(); r.Balances != total {
			rt.Fatalf("%v, want %v", r.Balances, total)
		}
		if err := b.store.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// fataler lets a bench report to the rapid test that is under way.
type fataler struct {
	testing.TB
	rt *rapid.T
}

func (f fataler) Fatalf(format string, args ...any) { f.rt.Fatalf(format, args...) }
func (f fataler) Fatal(args ...any)                 { f.rt.Fatal(args...) }

func (b *bench) dirAfterClosing() string {
	if err := b.store.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.dir
}

func (b *bench) modelCredit(rt *rapid.T, m *model) {
	c := Credit{
		Account:   account(rapid.IntRange(0, 3).Draw(rt, "account")),
		Amount:    amount.Amount(drawAmount.Draw(rt, "amount")),
		Condition: condition(rapid.IntRange(0, modelConditions-1).Draw(rt, "condition")),
		Digest:    digest(rapid.SampledFrom([]string{"a", "a", "b"}).Draw(rt, "digest")),
		Max:       amount.Amount(rapid.SampledFrom([]uint64{0, 0, 30}).Draw(rt, "max")),
	}
	if made := m.made(); len(made) > 0 && rapid.Bool().Draw(rt, "again") {
		c = rapid.SampledFrom(made).Draw(rt, "which")
	}
	when := rapid.SampledFrom([]string{"any", "in time", "over", "late"}).Draw(rt, "deadline")
	switch when {
	case "in time", "late":
		c.Deadline = b.clock.now().Add(time.Second)
	case "over":
		c.Deadline = b.clock.now().Add(-time.Second)
	default:
		c.Deadline = time.Time{}
	}
	if when == "late" {
		before := b.store.Durable()
		b.onFault(func(at store.Point, n uint64) error {
			if at == store.BeforeRelease && n == before+1 {
				b.clock.pass(2 * time.Second)
			}
			return nil
		})
		defer b.fault.Store(nil)
	}
	before, known := m.credited[c.Condition]
	now := m.before + b.clock.since()
	age := now - m.at[c.Condition]
	repeated, err := b.Credit(ctx, c)
	if known && age >= 10*time.Minute && age <= 12*time.Minute {
		known = repeated || err == ErrMismatch // in between, both are right
	} else if age > 12*time.Minute {
		known = false
	}
	after, fits := m.balance[c.Account].Add(c.Amount)
	want, again := error(nil), false
	switch {
	case known:
		again = same(c, before.Account, before.Amount, before.Digest)
		if !again {
			want = ErrMismatch
		}
	case c.Amount == 0:
	case when == "over":
		want = ErrTooLate
	case !fits || (c.Max != 0 && after > c.Max):
		want = ErrMaxBalance
	case when == "late":
		want, m.kept = ErrTooLate, now
		m.totals.count(Event{Kind: Credited, Amount: c.Amount})
		m.totals.count(Event{Kind: Reversed, Amount: c.Amount})
		delete(m.credited, c.Condition) // if there was one, it was forgotten
	default:
		m.credit(c, now)
	}
	if repeated != again || err != want {
		rt.Fatalf("credit %+v %s: %v, %v; want %v, %v", c, when, repeated, err, again, want)
	}
}

func (b *bench) modelReserve(rt *rapid.T, m *model) {
	a := account(rapid.IntRange(0, 3).Draw(rt, "account"))
	price := amount.Amount(drawAmount.Draw(rt, "price"))
	r, err := b.Reserve(ctx, a, price)
	if m.spendable(a) < price {
		var short *Insufficient
		if !errors.As(err, &short) || short.Balance != m.spendable(a) {
			rt.Fatalf("reserving %d of %d: %v", price, m.spendable(a), err)
		}
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	m.reserved[a] += price
	m.open = append(m.open, r)
	m.price[r], m.account[r] = price, a
}

func (b *bench) modelFinish(rt *rapid.T, m *model) {
	if len(m.open) == 0 {
		rt.Skip("no reservation")
	}
	i := rapid.IntRange(0, len(m.open)-1).Draw(rt, "reservation")
	r := m.open[i]
	a, price := m.account[r], m.price[r]
	m.open = append(m.open[:i:i], m.open[i+1:]...)
	charge := amount.Amount(rapid.Uint64Range(0, uint64(price)).Draw(rt, "charge"))
	m.reserved[a] -= price
	if rapid.Bool().Draw(rt, "release") {
		if got := r.Release(); got != m.spendable(a) {
			rt.Fatalf("%d after release, want %d", got, m.spendable(a))
		}
		return
	}
	m.charge(a, charge)
	if got, err := r.Settle(ctx, charge); err != nil || got != m.spendable(a) {
		rt.Fatalf("%d, %v after settling, want %d", got, err, m.spendable(a))
	}
}
