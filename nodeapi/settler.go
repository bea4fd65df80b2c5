package nodeapi

// This file settles: it has engines pay what the node owes, asks again until they have answered, and tells them of accounts.

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	firstRetry    = time.Second      // after that twice as long each time
	longestRetry  = time.Hour        // RFC 38
	longestEarly  = 30 * time.Second // while the node has not learned its asset: nobody is asked, and nothing else tells that it has
	refusedPause  = time.Minute      // before the account is settled again; after each further refusal in a row twice as long, up to longestRetry
	farewellTries = 5                // to tell an engine that an account is gone
)

// settler has at most one goroutine for each account. It runs between start and stop.
type settler struct {
	api    *API
	client *engineClient // nil: no engine is called
	first  time.Duration
	every  time.Duration // how long an account is owed less than its threshold; 0: for ever
	after  func(time.Duration, func()) (stop func() bool)

	mu         sync.Mutex
	ctx        context.Context // nil while it does not run
	cancel     context.CancelFunc
	workers    map[ilpcore.AccountID]*worker
	registered map[ilpcore.AccountID]engineName // as engines were told in this process
	turns      map[ilpcore.AccountID]*sync.Mutex
	attempts   map[ilpcore.AccountID]attempt // at what is unanswered, in this process
	pauses     waits                         // that begin with a refusal; until they end nothing is sent
	refusals   map[ilpcore.AccountID]int     // in a row
	troubles   map[ilpcore.AccountID]error   // why an engine was not told of an account, or refused what it was to settle; until that has changed
	times      waits                         // that end every after something was owed
	overdue    map[ilpcore.AccountID]bool    // whose wait among times has ended
	running    sync.WaitGroup
}

// engineName is an account, as an engine knows it.
type engineName struct{ url, account string }

// worker is the goroutine of one account.
type worker struct {
	again bool          // there may be more to do
	wake  chan struct{} // ends a wait
}

func newSettler(a *API, client *engineClient, c Config) *settler {
	after := c.After
	if after == nil {
		after = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	return &settler{
		api: a, client: client, first: firstRetry, every: c.SettleEvery, after: after, workers: make(map[ilpcore.AccountID]*worker),
		registered: make(map[ilpcore.AccountID]engineName), pauses: make(waits), times: make(waits), refusals: make(map[ilpcore.AccountID]int),
		turns: make(map[ilpcore.AccountID]*sync.Mutex), attempts: make(map[ilpcore.AccountID]attempt),
		overdue: make(map[ilpcore.AccountID]bool), troubles: make(map[ilpcore.AccountID]error),
	}
}

// start begins, with whatever was left unanswered.
func (s *settler) start() {
	s.mu.Lock()
	if s.client == nil || s.ctx != nil {
		s.mu.Unlock()
		return
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mu.Unlock()
	s.reviewAll()
}

// stop ends all calls and waits for it. What was not answered is kept, for the next start.
func (s *settler) stop() {
	s.mu.Lock()
	if s.ctx == nil {
		s.mu.Unlock()
		return
	}
	s.cancel()
	s.ctx = nil
	for _, all := range []waits{s.pauses, s.times} {
		for id := range all {
			s.disarm(all, id)
		}
	}
	s.mu.Unlock()
	s.running.Wait()
	s.client.http.CloseIdleConnections()
}

// due has an account looked after: registered, and settled if it is to be. It does not block.
func (s *settler) due(id ilpcore.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return
	}
	if s.pauses[id] != nil {
		s.armTime(id)
		return
	}
	if w := s.workers[id]; w != nil {
		w.again = true
		return
	}
	w := &worker{wake: make(chan struct{}, 1)}
	s.workers[id] = w
	ctx := s.ctx
	s.running.Go(func() { s.work(ctx, id, w) })
}

// review is due for an account whose settings have changed: it does not wait for the next retry.
func (s *settler) review(id ilpcore.AccountID) {
	s.mu.Lock()
	delete(s.refusals, id)
	delete(s.troubles, id)
	s.disarm(s.pauses, id)
	s.wake(id)
	s.mu.Unlock()
	s.due(id)
}

// wake ends the wait of a worker. The lock is held.
func (s *settler) wake(id ilpcore.AccountID) {
	if w := s.workers[id]; w != nil {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// reviewAll reviews all accounts, and those of which something is unanswered and that are in no configuration any more.
func (s *settler) reviewAll() {
	for _, account := range s.api.list() {
		s.review(account.ID)
	}
	pending, err := s.api.directory.allOutgoing()
	if err != nil {
		s.api.logger.Error("settlements that are unanswered cannot be read", zap.Error(err))
	}
	for id := range pending {
		if _, err := s.api.find(id); err != nil {
			s.review(id)
		}
	}
}

// work goes on until there is nothing to do for the account.
func (s *settler) work(ctx context.Context, id ilpcore.AccountID, w *worker) {
	for tries, early := 0, 0; ctx.Err() == nil; {
		more, err := s.step(ctx, id)
		if errors.Is(err, errNoAsset) {
			if early == 0 {
				s.api.logger.Info("an account is settled once the node has learned its asset from its parent", zap.String("account", string(id)))
			}
			s.sleep(ctx, early, longestEarly, w.wake)
			early++
			continue
		}
		if err != nil && ctx.Err() == nil {
			s.api.logger.Warn("an account could not be settled; it is tried again", zap.String("account", string(id)), zap.Int("tries", tries+1), zap.Error(err))
			if tries++; s.sleep(ctx, tries-1, longestRetry, w.wake) {
				tries = 0 // what has failed so often may not be what is to be done now
			}
			continue
		}
		tries = 0
		if !more && s.leave(id, w) {
			s.rest(id)
			return
		}
	}
	s.mu.Lock()
	delete(s.workers, id)
	s.mu.Unlock()
}

// leave ends the worker, unless there is more to do since it looked.
func (s *settler) leave(id ilpcore.AccountID, w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.again {
		w.again = false
		return false
	}
	delete(s.workers, id)
	delete(s.overdue, id)
	return true
}

// sleep waits twice as long each time, up to longest, and for between half of that and all of it. woken says that something was changed meanwhile.
func (s *settler) sleep(ctx context.Context, tries int, longest time.Duration, wake <-chan struct{}) (woken bool) {
	pause := doubled(s.first, tries, longest)
	over := make(chan struct{})
	stop := s.after(pause/2+rand.N(pause/2+1), func() { close(over) })
	defer stop()
	select {
	case <-over:
	case <-wake:
		return true
	case <-ctx.Done():
	}
	return false
}

// doubled is first doubled so many times, up to longest.
func doubled(first time.Duration, times int, longest time.Duration) time.Duration {
	return min(first<<min(times, 20), longest) // 20 times no pause is so long that it overflows
}

// step does one thing for the account; more says that there may be another. After an error the same is to be tried again.
func (s *settler) step(ctx context.Context, id ilpcore.AccountID) (more bool, err error) {
	turn := s.turn(id)
	turn.Lock()
	defer turn.Unlock()
	o, err := s.api.directory.outgoing(id)
	if err != nil {
		return false, err
	}
	// What an earlier attempt, or an earlier process, may have sent is never refunded: the engine may have paid before it began to refuse.
	doubt := o != nil
	if o == nil {
		account, err := s.api.find(id)
		if err != nil {
			return false, nil //nolint:nilerr // it is gone
		}
		e := s.api.EngineOf(account)
		if e.URL == "" && s.api.mayGetEngine(account) {
			return false, errNoAsset
		}
		if e.URL == "" || s.rests(id) {
			return false, nil
		}
		err = s.register(ctx, id, e)
		s.trouble(id, err)
		if err != nil {
			return false, err
		}
		if o, err = s.api.payOut(ctx, id, e, s.isOverdue(id)); o == nil || err != nil {
			return false, err
		}
		s.paidOut(id)
	}
	err = s.client.settle(ctx, *o)
	s.tried(id, *o, err)
	fields := []zap.Field{zap.String("account", string(id)), zap.String("amount", o.Quantity.Amount), zap.Uint8("scale", o.Quantity.Scale), zap.String("key", o.Key)}
	switch {
	case err == nil:
		s.forgive(id)
		s.api.logger.Info("a settlement was handed to the engine", fields...)
		return true, s.end(ctx, id, *o, SettlementSent)
	case errors.Is(err, errRefused) && !doubt:
		s.api.logger.Error("the settlement engine refused a settlement; the balance has the amount again", append(fields, zap.Error(err))...)
		s.pause(id)
		s.trouble(id, err)
		return false, s.end(ctx, id, *o, SettlementRefused)
	case errors.Is(err, errRefused):
		err = fmt.Errorf("%w, after a call that it may have carried out: see with the engine what it did, and resolve it with paydoor node settlement resolve", err)
	}
	return false, err
}

// end finishes a settlement and has that counted.
func (s *settler) end(ctx context.Context, id ilpcore.AccountID, o outgoing, outcome SettlementOutcome) error {
	done, err := s.api.finish(ctx, id, o, outcome == SettlementRefused)
	if err == nil {
		s.forget(id)
	}
	if done && err == nil {
		s.api.count(SettlementEvent{Account: id, Outcome: outcome, Amount: o.Amount, Asset: o.asset(s.api, id)})
	}
	return err
}

// register tells the account's engine of it, once in each process.
func (s *settler) register(ctx context.Context, id ilpcore.AccountID, e Engine) error {
	name := engineName{e.URL, e.AccountID}
	s.mu.Lock()
	known := s.registered[id] == name
	s.mu.Unlock()
	if known {
		return nil
	}
	if err := s.client.register(ctx, e); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registered[id] = name
	return nil
}

// pause keeps an account from being settled for a while, after which it is looked at: packets that would tell of it may never come again, where
// the neighbour takes no more until it is paid. Its engine is told of it again before that.
func (s *settler) pause(id ilpcore.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.registered, id)
	s.disarm(s.pauses, id)
	s.arm(s.pauses, id, doubled(refusedPause, s.refusals[id], longestRetry), func() {})
	s.refusals[id]++
}

// forgive has the next pause be the shortest again.
func (s *settler) forgive(id ilpcore.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.refusals, id)
}

// trouble notes what keeps an account from being settled; nil: nothing.
func (s *settler) trouble(id ilpcore.AccountID, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why == nil {
		delete(s.troubles, id)
	} else if s.ctx != nil { // it may be the end of this settler otherwise
		s.troubles[id] = why
	}
}

func (s *settler) troubleOf(id ilpcore.AccountID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := s.troubles[id]; why != nil {
		return why.Error()
	}
	return ""
}

// rests says whether an account is in the pause after a refusal.
func (s *settler) rests(id ilpcore.AccountID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pauses[id] != nil
}

// farewell tells the engine that an account is gone.
func (s *settler) farewell(id ilpcore.AccountID, e Engine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.registered, id)
	delete(s.refusals, id)
	delete(s.troubles, id)
	s.disarm(s.pauses, id)
	s.disarm(s.times, id)
	if s.ctx == nil || e.URL == "" {
		return
	}
	ctx := s.ctx
	s.running.Go(func() {
		var err error
		for tries := 0; tries < farewellTries && ctx.Err() == nil; tries++ {
			if err = s.client.unregister(ctx, e); err == nil {
				return
			}
			s.sleep(ctx, tries, longestRetry, nil)
		}
		s.api.logger.Warn("the settlement engine was not told that an account is gone", zap.String("account", string(id)), zap.Error(err))
	})
}
