package btp

// This file is the link of an account that dials us: it owns the connection that a Listener has authenticated, and replaces it by a newer one.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

var (
	// ErrConfig says that an Awaited link lacks an account or a token, or that its user could not be sent.
	ErrConfig = errors.New("a BTP link to be dialled needs an account, a token, and a user without a colon")
	errAbsent = errors.New("the peer has not connected yet")
)

// AwaitConfig is what an Awaited link is made of.
type AwaitConfig struct {
	Account     ilpcore.AccountID                                   // the account the peer's packets come from
	User        string                                              // the auth_username the peer may send besides the account's name; "": none
	Token       string                                              // the auth_token it has to send; how strong it is, is the caller's rule
	Handler     ilpcore.Handler                                     // gets the peer's Prepares; nil: T01 until SetHandler
	State       func(up bool)                                       // told of each connect, also of one that takes over, and disconnect, one at a time; must return soon; nil: nobody
	Unconfirmed func(account ilpcore.AccountID, paid amount.Amount) // told of each Fulfill that could not be written; nil: nobody
	MaxInFlight int                                                 // packets of the peer at work at once, else T03; 0: DefaultInFlight
	Logger      *zap.Logger                                         // nil: none
	Now         func() time.Time                                    // nil: time.Now
	Random      io.Reader                                           // for request ids; nil: crypto/rand
}

// Awaited is a link whose other end dials. It has one connection at most: a new login of the peer takes the place of the one before. It
// lives until Close, and belongs to no Listener: those of several configurations may bring it connections.
type Awaited struct {
	*endpoint
	secret  credential
	state   func(bool)
	session atomic.Pointer[session] // nil while nobody is connected
	trouble trouble

	ctx     context.Context // of all sessions
	stop    context.CancelFunc
	mu      sync.Mutex // orders connects, disconnects and Close
	closed  bool
	running sync.WaitGroup
	parting sync.WaitGroup // of the sessions that retire
	retired []*session     // those, the longest first
	closing sync.Once
}

// Await returns a link that waits for its peer. The error is ErrConfig.
func Await(c AwaitConfig) (*Awaited, error) { return await(c, standardTiming()) }

func await(c AwaitConfig, t timing) (*Awaited, error) {
	if c.Account == "" || c.Token == "" || strings.Contains(c.User, ":") {
		return nil, ErrConfig
	}
	a := &Awaited{secret: newCredential(string(c.Account), c.User, c.Token), state: c.State}
	a.endpoint = newEndpoint(Config{
		Account: c.Account, Handler: c.Handler, Unconfirmed: c.Unconfirmed, MaxInFlight: c.MaxInFlight,
		Logger: c.Logger, Now: c.Now, Random: c.Random,
	}, t)
	if a.state == nil {
		a.state = func(bool) {}
	}
	a.ctx, a.stop = context.WithCancel(context.Background())
	return a, nil
}

// HandlePrepare sends the packet to the peer. While it is not connected the answer is T01 at once; when the connection breaks, two seconds later, unless
// the peer answers over the next one; when no answer comes by the packet's expiry, or within a minute, R00; for a wrong fulfillment F05. The peer's own
// answer comes back as it is.
func (a *Awaited) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	for {
		s := a.session.Load()
		if s == nil {
			return lost()
		}
		if s.busy.enter() {
			defer s.busy.leave()
			return s.send(ctx, in)
		}
		// Another session was stored before this one stopped to take packets.
	}
}

// StartPrepare is HandlePrepare for who does not wait, but for the fulfillment, which the asker has to check.
func (a *Awaited) StartPrepare(_ context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) (begun bool) {
	for {
		s := a.session.Load()
		if s == nil {
			asker.Answered(lost(), burst)
			return true
		}
		if s.queue.full() {
			return false
		}
		if s.busy.enter() {
			s.start(&in, asker, burst)
			return true
		}
	}
}

// Up says whether the peer is connected.
func (a *Awaited) Up() bool { return a.session.Load() != nil }

// Err says why the peer is not connected; nil while it is.
func (a *Awaited) Err() error {
	if a.Up() {
		return nil
	}
	if err := a.trouble.get(); err != nil {
		return err
	}
	return errAbsent
}

// SetHandler directs the peer's Prepares, from the next one on, to h.
func (a *Awaited) SetHandler(h ilpcore.Handler) { a.handler.Store(&h) }

// Close lets the packets under way end, for two seconds at most, disconnects the peer, and waits for everything the link has started.
// Later logins are refused. It may be called more than once.
func (a *Awaited) Close() error {
	a.closing.Do(func() {
		a.mu.Lock()
		a.closed = true
		s := a.session.Swap(nil)
		if s != nil {
			a.state(false)
		}
		a.mu.Unlock()
		if s != nil {
			s.retire("this link has been closed")
		}
		a.parting.Wait() // those that were replaced just now have answers to bring back, too
		a.stop()
		a.running.Wait()
		a.working.Wait()
	})
	return nil
}

// take makes an authenticated connection the link's own, answers its auth message, and returns the session; nil after Close.
func (a *Awaited) take(c *connection, authID uint32) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	s, err := a.newSession(a.ctx, c.conn)
	if err != nil {
		a.logger.Error("a BTP session could not begin", zap.String("account", string(a.account)), zap.Error(err))
		return nil
	}
	s.acknowledge(authID) // the first frame out, since nobody else has the session yet
	before := a.session.Swap(s)
	a.trouble.clear()
	a.logger.Info("the BTP link is up", zap.String("account", string(a.account)), zap.String("peer", c.remote), zap.Bool("took_over", before != nil))
	a.running.Go(func() { a.serve(s) })
	if before != nil {
		a.replace(before)
	}
	a.state(true)
	return s
}

// replace lets a session retire that another has taken the place of. A peer that does nothing but log in must not have any number of them: beyond
// maxRetired, what has had the longest time ends at once. It is called under the mutex.
func (a *Awaited) replace(before *session) {
	if a.retired = append(a.retired, before); len(a.retired) > maxRetired {
		a.retired[0].end(errRetired)
		a.retired = slices.Delete(a.retired, 0, 1)
	}
	a.parting.Go(func() {
		before.retire("another connection of this account has taken over")
		a.mu.Lock()
		defer a.mu.Unlock()
		a.retired = slices.DeleteFunc(a.retired, func(s *session) bool { return s == before })
	})
}

// serve runs a session to its end.
func (a *Awaited) serve(s *session) {
	err := s.run()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.session.CompareAndSwap(s, nil) {
		return // replaced, or the link is closed
	}
	a.trouble.set(fmt.Errorf("the peer is not connected any more: %w", err), a.now())
	a.logger.Warn("the BTP link is down until its peer connects again", zap.String("account", string(a.account)), zap.Error(err))
	a.state(false)
}

var _ ilpcore.Starter = (*Awaited)(nil)
