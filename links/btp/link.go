package btp

// This file is the link that dials: it owns the connection, and whatever comes after it.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// DefaultInFlight is how many packets of the peer a Link works on at once.
const DefaultInFlight = 1000

// Config is what a Link is made of.
type Config struct {
	Account     ilpcore.AccountID // the account the peer's packets come from
	URL         URL
	Insecure    bool                                                // allows ws to a host that is not this one
	Handler     ilpcore.Handler                                     // gets the peer's Prepares; nil: T01 until SetHandler
	State       func(up bool)                                       // told of each connect and disconnect, from one goroutine; must return soon; nil: nobody
	Unconfirmed func(account ilpcore.AccountID, paid amount.Amount) // told of each Fulfill that could not be written; nil: nobody
	MaxInFlight int                                                 // packets of the peer at work at once, else T03; 0: DefaultInFlight
	Transport   *http.Transport                                     // how to dial; it is copied; nil: NewTransport
	Logger      *zap.Logger                                         // nil: none
	Now         func() time.Time                                    // nil: time.Now
	Random      io.Reader                                           // for request ids and jitter; nil: crypto/rand
}

// Link is a BTP connection that this node dials, and dials again when it is lost. It lives until Close; in between, SetHandler can give
// it a new configuration's Handler.
type Link struct {
	*endpoint
	url       URL
	transport *http.Transport
	state     func(bool)
	session   atomic.Pointer[session] // nil while down
	trouble   trouble                 // why it is
	stop      context.CancelFunc
	running   sync.WaitGroup
	closing   sync.Once
	parting   atomic.Bool // no connection is opened any more
}

// Dial checks the settings and starts connecting; it does not wait for the connection. Errors: ErrURL, ErrInsecure.
func Dial(c Config) (*Link, error) { return dial(c, standardTiming()) }

func dial(c Config, t timing) (*Link, error) {
	if err := c.URL.check(); err != nil {
		return nil, err
	}
	if c.URL.Exposed() && !c.Insecure {
		return nil, ErrInsecure
	}
	l := &Link{endpoint: newEndpoint(c, t), url: c.URL, transport: c.Transport, state: c.State}
	if l.transport == nil {
		l.transport = NewTransport()
	}
	if l.state == nil {
		l.state = func(bool) {}
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.running.Go(func() { l.run(ctx) })
	return l, nil
}

func newEndpoint(c Config, t timing) *endpoint {
	if c.MaxInFlight <= 0 {
		c.MaxInFlight = DefaultInFlight
	}
	e := &endpoint{
		account: c.Account, unconfirmed: c.Unconfirmed, logger: c.Logger, now: c.Now, random: c.Random,
		timing: t, slots: make(chan struct{}, c.MaxInFlight),
	}
	if c.Handler == nil {
		c.Handler = ilpcore.HandlerFunc(starting)
	}
	e.handler.Store(&c.Handler)
	if e.unconfirmed == nil {
		e.unconfirmed = func(ilpcore.AccountID, amount.Amount) {}
	}
	if e.logger == nil {
		e.logger = zap.NewNop()
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.random == nil {
		e.random = rand.Reader
	}
	return e
}

// starting answers until SetHandler is called.
func starting(context.Context, ilpcore.Incoming) ilpcore.Reply {
	return ilpcore.Reject(ilpcore.T01, "", "the node is starting; try again in a moment", nil)
}

// HandlePrepare sends the packet to the peer. While the link is down the answer is T01 at once; when it goes down, two seconds later, unless the peer
// answers over the next connection; when no answer comes by the packet's expiry, or within a minute, R00; for a wrong fulfillment F05. The peer's own
// answer comes back as it is.
func (l *Link) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	s := l.session.Load()
	if s == nil || !s.busy.enter() {
		return lost()
	}
	defer s.busy.leave()
	return s.send(ctx, in)
}

// StartPrepare is HandlePrepare for who does not wait, but for the fulfillment, which the asker has to check.
func (l *Link) StartPrepare(_ context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) (begun bool) {
	s := l.session.Load()
	switch {
	case s == nil:
		asker.Answered(lost(), burst)
	case s.queue.full():
		return false
	case !s.busy.enter():
		asker.Answered(lost(), burst)
	default:
		s.start(&in, asker, burst)
	}
	return true
}

// Up says whether the link is connected and authenticated.
func (l *Link) Up() bool { return l.session.Load() != nil }

// Err says why the link is down: it could not connect, the peer refused our credentials (ErrRefused), or the connection broke. It is nil
// while the link is up and before the first attempt has ended.
func (l *Link) Err() error {
	if l.Up() {
		return nil
	}
	return l.trouble.get()
}

// SetHandler directs the peer's Prepares, from the next one on, to h.
func (l *Link) SetHandler(h ilpcore.Handler) { l.handler.Store(&h) }

// Close lets the packets under way end, for two seconds at most, while new ones get T03, says goodbye, and waits for everything the link has
// started. It may be called more than once.
func (l *Link) Close() error {
	l.closing.Do(func() {
		l.parting.Store(true)
		if s := l.session.Load(); s != nil {
			s.retire("this link has been closed")
		}
		l.stop()
		l.running.Wait()
		l.working.Wait()
	})
	return nil
}

// run connects again and again until ctx ends.
func (l *Link) run(ctx context.Context) {
	waits := backoff{waits: l.timing.waits, stable: l.timing.stable, random: l.random}
	for !l.parting.Load() {
		timer := time.NewTimer(waits.next())
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		s, err := l.connect(ctx)
		if err != nil {
			if ctx.Err() == nil && l.trouble.set(err, l.now()) {
				l.logger.Warn("the BTP link cannot connect; trying again", l.fields(zap.Error(err))...)
			}
			continue
		}
		l.trouble.clear()
		waits.lasted(l.serve(s))
	}
}

// connect opens and authenticates a connection.
func (l *Link) connect(ctx context.Context) (*session, error) {
	dialling, cancel := context.WithTimeout(ctx, l.timing.dial)
	defer cancel()
	conn, err := open(dialling, l.transport, l.url.Endpoint, l.timing.write)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	authenticating, cancel := context.WithTimeout(ctx, l.timing.auth)
	defer cancel()
	err = authenticate(authenticating, conn, l.url, l.random)
	if err == nil {
		var s *session
		if s, err = l.newSession(ctx, conn); err == nil {
			return s, nil
		}
	}
	conn.below.cut()
	if errors.Is(authenticating.Err(), context.DeadlineExceeded) {
		return nil, errNoAuthAnswer
	}
	return nil, err
}

var errNoAuthAnswer = errors.New("the peer did not answer the authentication")

// serve runs a session from start to end and returns how long it lived.
func (l *Link) serve(s *session) time.Duration {
	since := time.Now()
	l.session.Store(s)
	l.logger.Info("the BTP link is up", l.fields()...)
	l.state(true)
	err := s.run()
	l.session.Store(nil)
	if !l.parting.Load() {
		l.trouble.set(err, l.now())
		l.logger.Warn("the BTP link is down", l.fields(zap.Error(err))...)
	}
	l.state(false)
	return time.Since(since)
}

func (l *Link) fields(more ...zap.Field) []zap.Field {
	return append(more, zap.String("account", string(l.account)), zap.Stringer("peer", l.url))
}

var _ ilpcore.Starter = (*Link)(nil)
