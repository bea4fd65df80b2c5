package balances

// This file checks that what many callers have seen of an account at once can be put into one order in which a plain account would have
// answered the same, across failures of the store and restarts. Outcomes that a caller did not learn may be either.

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

const (
	linearAccounts = 12
	linearWorkers  = 16 // at once, so less than 50 on an account
	linearSteps    = 30 // of a worker between restarts
	linearLives    = 4
	linearMarks    = 24 // conditions of an account, and IDs
)

// asked is an operation on an account.
type asked struct {
	what  string // credit, reserve, settle, release, balance, raise, lower, restart
	n     amount.Amount
	price amount.Amount // of the reservation that settle and release end
	mark  int           // which condition of the account a credit has, or which ID an adjustment; -1: none
}

// answered is what its caller was told.
type answered struct {
	what string // ok, repeated, insufficient, unknown
	left amount.Amount
}

// plainAccount is an account as it should be: written to be obviously right.
type plainAccount struct {
	balance, reserved amount.Amount
	credited          uint64 // the conditions, by bit
	adjusted          uint64 // the IDs, by bit
}

func (p plainAccount) spendable() amount.Amount { return p.balance - p.reserved }

// do returns the account after the operation, and the answer.
func (p plainAccount) do(q asked) (plainAccount, answered) {
	bit := uint64(1) << max(q.mark, 0)
	switch q.what {
	case "credit":
		if p.credited&bit != 0 {
			return p, answered{what: "repeated"}
		}
		p.credited |= bit
		p.balance += q.n
		return p, answered{what: "ok"}
	case "reserve":
		if p.spendable() < q.n {
			return p, answered{"insufficient", p.spendable()}
		}
		p.reserved += q.n
		return p, answered{what: "ok"}
	case "settle":
		p.reserved -= q.price
		p.balance -= q.n
	case "release":
		p.reserved -= q.price
	case "raise", "lower":
		if q.mark >= 0 && p.adjusted&bit != 0 {
			return p, answered{what: "ok"}
		}
		if q.what == "lower" && p.spendable() < q.n {
			return p, answered{"insufficient", p.spendable()}
		}
		if q.mark >= 0 {
			p.adjusted |= bit
		}
		if q.what == "raise" {
			p.balance += q.n
		} else {
			p.balance -= q.n
		}
		return p, answered{what: "ok"}
	case "restart":
		p.reserved = 0
		return p, answered{what: "ok"}
	}
	return p, answered{"ok", p.spendable()}
}

// undone is what else an account can be after a charge or lowering of which its caller does not learn the outcome. One that the store will
// not have when it is opened again has taken what nobody can spend until then; one that the store had not taken any more has released all.
func (p plainAccount) undone(q asked) []any {
	switch lost, released := p, p; q.what {
	case "settle":
		lost.reserved -= q.price - q.n
		released.reserved -= q.price
		return []any{lost, released}
	case "lower":
		if p.spendable() >= q.n {
			lost.reserved += q.n
			return []any{lost}
		}
	}
	return nil
}

var plainModel = porcupine.NondeterministicModel{
	Init: func() []any { return []any{plainAccount{}} },
	Step: func(state, input, output any) []any {
		before := state.(plainAccount)
		after, answer := before.do(input.(asked))
		switch output.(answered) {
		case answer:
			return []any{after}
		case answered{what: "unknown"}:
			return append(before.undone(input.(asked)), before, after)
		}
		return nil
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
	DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
}

// recorder keeps what was asked and answered, by account.
type recorder struct {
	start   time.Time
	mu      sync.Mutex
	done    [linearAccounts][]porcupine.Operation
	unknown int
}

func (r *recorder) now() int64 { return int64(time.Since(r.start)) }

// note records an operation. One whose outcome is unknown gets its end later: it may take effect as long as its store is open.
func (r *recorder) note(worker, account int, call int64, q asked, a answered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.what == "unknown" {
		r.unknown++
	}
	r.done[account] = append(r.done[account], porcupine.Operation{ClientId: worker, Input: q, Call: call, Output: a, Return: r.now()})
}

// restart ends all that is open, and with it the reservations.
func (r *recorder) restart() {
	at := r.now()
	for n := range r.done {
		for i := range r.done[n] {
			if o := &r.done[n][i]; o.Output.(answered).what == "unknown" && o.Return < at && o.Metadata == nil {
				o.Return, o.Metadata = at, "ended"
			}
		}
		r.done[n] = append(r.done[n], porcupine.Operation{
			ClientId: linearWorkers, Input: asked{what: "restart"}, Call: at + 1, Output: answered{what: "ok"}, Return: at + 2,
		})
	}
	for r.now() <= at+2 {
	}
}

func TestP2P4P5P12Linearizable(t *testing.T) {
	for _, durability := range []Durability{Group, Process} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s/%d", []string{"group", "process"}[durability], seed), func(t *testing.T) {
				checkLinear(t, durability, seed)
			})
		}
	}
}

func checkLinear(t *testing.T, durability Durability, seed uint64) {
	b := newBench(t, Options{CacheSize: 1, Durability: durability})
	r := &recorder{start: time.Now()}
	random := rand.New(rand.NewPCG(seed, uint64(durability)))
	for life := range linearLives {
		if life+1 < linearLives {
			b.failAt(store.Point(random.IntN(4)), b.store.Durable()+1+random.Uint64N(60))
		}
		var wg sync.WaitGroup
		for w := range linearWorkers {
			worker := &linearWorker{b: b, r: r, number: w, random: rand.New(rand.NewPCG(seed, uint64(life*linearWorkers+w)))}
			wg.Go(worker.run)
		}
		wg.Wait()
		r.restart()
		b.fault.Store(nil)
		b.reopen()
		b.audit()
	}
	operations := 0
	for n, history := range r.done {
		operations += len(history)
		if len(history) > 400 {
			t.Fatalf("%d operations of an account are too many to be checked", len(history))
		}
		result, info := porcupine.CheckOperationsVerbose(plainModel.ToModel(), history, 20*time.Second)
		if result != porcupine.Ok {
			path := filepath.Join(t.ArtifactDir(), fmt.Sprintf("account-%d.html", n))
			t.Errorf("account %d: %d operations are %s; see %s (%v; go test -artifacts keeps it)", n, len(history), result, path,
				porcupine.VisualizePath(plainModel.ToModel(), info, path))
		}
	}
	t.Logf("%d operations, %d of them unknown", operations, r.unknown)
}

// failAt has the store fail at the point in that group and all later ones; what an idle store writes is of an earlier one.
func (b *bench) failAt(at store.Point, group uint64) {
	b.onFault(func(point store.Point, n uint64) error {
		if point == at && n >= group {
			return errors.New("input/output error")
		}
		return nil
	})
}

// linearWorker asks one thing after the other, until the store fails.
type linearWorker struct {
	b      *bench
	r      *recorder
	number int
	random *rand.Rand
	held   *Reservation
	holder int // the account it is of
}

func (w *linearWorker) run() {
	for range linearSteps {
		if !w.step() {
			return
		}
	}
}

// step does one thing; false says that its outcome is unknown.
func (w *linearWorker) step() bool {
	n := w.random.IntN(linearAccounts)
	if w.random.IntN(8) == 0 {
		n = 0 // the hot one
	}
	q := asked{n: amount.Amount(w.random.IntN(8) + 1), mark: -1}
	if w.held != nil && w.random.IntN(2) == 0 {
		n, q.price = w.holder, w.held.Price()
		q.what, q.n = "settle", min(q.n, q.price)
		if w.random.IntN(3) == 0 {
			q.what = "release"
		}
	} else {
		q.what = []string{"credit", "credit", "reserve", "reserve", "balance", "raise", "lower"}[w.random.IntN(7)]
		if q.what == "reserve" && w.held != nil {
			q.what = "balance"
		}
		if q.what == "credit" || q.what != "balance" && q.what != "reserve" && w.random.IntN(2) == 0 {
			q.mark = w.random.IntN(linearMarks)
			q.n = amount.Amount(q.mark%8 + 1) // a repetition has the same amount
			if q.mark%2 == 0 && q.what == "raise" || q.mark%2 == 1 && q.what == "lower" {
				q.mark ^= 1 // and direction
				q.n = amount.Amount(q.mark%8 + 1)
			}
		}
	}
	call := w.r.now()
	a, err := w.ask(n, q)
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrBusy) {
		a = answered{what: "unknown"}
	} else if err != nil {
		w.b.t.Error(err)
	}
	if q.what != "reserve" && q.what != "balance" || a.what != "unknown" {
		w.r.note(w.number, n, call, q, a)
	}
	return a.what != "unknown"
}

// ask has the ledger do it.
func (w *linearWorker) ask(n int, q asked) (a answered, err error) {
	a.what = "ok"
	switch q.what {
	case "credit":
		var repeated bool
		repeated, err = w.b.Credit(ctx, Credit{Account: account(n), Amount: q.n, Condition: digest(fmt.Sprint(n, "credit", q.mark))})
		if repeated {
			a.what = "repeated"
		}
	case "reserve":
		var r *Reservation
		if r, err = w.b.Reserve(ctx, account(n), q.n); err == nil {
			w.held, w.holder = r, n
		}
	case "settle":
		a.left, err = w.held.Settle(ctx, q.n)
		w.held = nil
	case "release":
		a.left = w.held.Release()
		w.held, err = nil, w.b.explain(w.b.store.Err())
	case "balance":
		var b Balance
		b, err = w.b.Balance(ctx, account(n))
		a.left = b.Spendable
	default:
		x := Adjustment{Account: account(n), Amount: q.n, Lower: q.what == "lower"}
		if q.mark >= 0 {
			x.ID = fmt.Sprint(n, " adjustment ", q.mark)
		}
		_, err = w.b.Adjust(ctx, x)
	}
	var short *Insufficient
	if errors.As(err, &short) {
		return answered{"insufficient", short.Balance}, nil
	}
	return a, err
}
