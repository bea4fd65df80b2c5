package paywall

// This file is the world around the paywall in tests: an honest ledger in memory and a quoter that records what it is asked.

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

type fakeLedger struct {
	mu        sync.Mutex
	spendable map[balances.Account]amount.Amount
	reserved  amount.Amount
	settled   amount.Amount
	settles   int
	failing   error // from Balance and Reserve
	noBalance error // from Balance alone
	noSettle  error // from Settle
	onSettle  func()
}

func newFakeLedger() *fakeLedger {
	return &fakeLedger{spendable: map[balances.Account]amount.Amount{}}
}

func (l *fakeLedger) Balance(_ context.Context, a balances.Account) (amount.Amount, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.noBalance != nil {
		return 0, l.noBalance
	}
	return l.spendable[a], l.failing
}

func (l *fakeLedger) Reserve(_ context.Context, a balances.Account, price amount.Amount) (Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failing != nil {
		return nil, l.failing
	}
	rest, ok := l.spendable[a].Sub(price)
	if !ok {
		return nil, fmt.Errorf("reserving: %w", balances.ErrInsufficient)
	}
	l.spendable[a] = rest
	l.reserved += price
	return &fakeReservation{ledger: l, account: a, price: price, left: rest}, nil
}

// state returns what is spendable on the token's account, and what is reserved anywhere.
func (l *fakeLedger) state(t testing.TB, token string) (spendable, reserved amount.Amount) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spendable[accountOf(t, token)], l.reserved
}

func (l *fakeLedger) credit(t testing.TB, token string, a amount.Amount) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spendable[accountOf(t, token)] += a
}

type fakeReservation struct {
	ledger  *fakeLedger
	account balances.Account
	price   amount.Amount
	left    amount.Amount
	done    bool
}

func (r *fakeReservation) Settle(ctx context.Context, charged amount.Amount) (amount.Amount, error) {
	l := r.ledger
	if l.onSettle != nil {
		l.onSettle()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if l.noSettle != nil {
		return 0, l.noSettle
	}
	if r.done || charged > r.price {
		panic("settled twice or too much")
	}
	r.done = true
	l.reserved -= r.price
	l.settled += charged
	l.settles++
	l.spendable[r.account] += r.price - charged
	return l.spendable[r.account], nil
}

func (r *fakeReservation) Left() amount.Amount { return r.left }

func (r *fakeReservation) Release() amount.Amount {
	l := r.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if !r.done {
		r.done = true
		l.reserved -= r.price
		l.spendable[r.account] += r.price
	}
	return l.spendable[r.account]
}

type fakeQuoter struct {
	mu   sync.Mutex
	asks []QuoteRequest
	err  error
}

func (q *fakeQuoter) Quote(req QuoteRequest) (Quote, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	req.Token = append([]byte(nil), req.Token...)
	q.asks = append(q.asks, req)
	if q.err != nil {
		return Quote{}, q.err
	}
	address := "test.shop." + base64.RawURLEncoding.EncodeToString(req.Account[:6])
	if req.OneTime {
		address += fmt.Sprint("-", len(q.asks))
	}
	return Quote{Address: address, Secret: "c2VjcmV0"}, nil
}

// testToken is the 32-byte token of seed 003.
const testToken = "7y0SfeN7lCuq0GFF5UsMYZofIjJ7LrvPvsePVWSv450"

func accountOf(t testing.TB, token string) balances.Account {
	t.Helper()
	account, err := AccountOf(token, "")
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// bench is a paywall with its surroundings. Everything in it may be changed before the first request.
type bench struct {
	t      testing.TB
	ledger *fakeLedger
	quoter *fakeQuoter
	config Config
	mu     sync.Mutex
	events []Event

	handling sync.WaitGroup // requests that are being handled
}

func newBench(t testing.TB, rules ...Rule) *bench {
	b := &bench{t: t, ledger: newFakeLedger(), quoter: &fakeQuoter{}}
	if len(rules) == 0 {
		rules = []Rule{{Price: 10}}
	}
	b.config = Config{
		Ledger: b.ledger, Quoter: b.quoter, Prices: rules,
		Asset: func() (Asset, bool) { return Asset{"USD", 9}, true },
		Observe: func(_ *http.Request, e *Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, *e)
		},
	}
	return b
}

func (b *bench) paywall() *Paywall {
	b.t.Helper()
	p, err := New(b.config)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// handler serves next behind the paywall; like a server with error routes, it answers 502 when next fails without an answer.
func (b *bench) handler(next Next) http.Handler {
	p := b.paywall()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.handling.Add(1)
		defer b.handling.Done()
		if err := p.ServeHTTP(w, r, next); err != nil {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
}

func (b *bench) do(next Next, r *http.Request) *httptest.ResponseRecorder {
	b.t.Helper()
	w := httptest.NewRecorder()
	b.handler(next).ServeHTTP(finalOnly{w}, r)
	return w
}

// finalOnly keeps informational answers from the recorder, which takes them for final.
type finalOnly struct{ *httptest.ResponseRecorder }

func (w finalOnly) WriteHeader(status int) {
	if status >= 200 {
		w.ResponseRecorder.WriteHeader(status)
	}
}

func (b *bench) outcomes() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := ""
	for _, e := range b.events {
		s += string(e.Outcome) + " "
	}
	return s
}

func request(method, target, token string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	if token != "" {
		r.Header.Set("Pay-Token", token)
	}
	return r
}

func answer(status int) Next {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(status)
		return nil
	}
}
