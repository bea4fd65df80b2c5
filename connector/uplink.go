package connector

// This file keeps a link to a parent together with what was learned over it, so that both outlive a change of configuration.

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
)

// UplinkConfig is what an Uplink is made of.
type UplinkConfig struct {
	Account ilpcore.AccountID // for the log
	Asset   ilpcore.Asset     // what the parent must count in: the account's asset, else the node's; zero: whatever it says first
	Open    LinkFactory
	Logger  *zap.Logger      // nil: none
	Now     func() time.Time // nil: time.Now
	Random  io.Reader        // for the jitter of the ILDCP requests; nil: crypto/rand
}

// Uplink is the link to a parent with an ILDCP client: it asks for the node's address at each connect and every ten minutes. It belongs
// to the account's settings, not to one configuration of the node: make a new Node, give it the same Uplink, and call SetHandler.
// Close it when no configuration uses it any more.
type Uplink struct {
	account ilpcore.AccountID
	expect  ilpcore.Asset
	link    OpenLink
	logger  *zap.Logger
	now     func() time.Time
	random  io.Reader

	handler atomic.Pointer[ilpcore.Handler]
	changed atomic.Pointer[func(ilpcore.Address, ilpcore.Asset)]
	state   atomic.Pointer[learned]
	failure atomic.Pointer[string] // why the last ILDCP request failed; nil after a success

	connected chan struct{} // holds one element after a connect nobody has acted on yet
	stop      context.CancelFunc
	running   sync.WaitGroup
	closing   sync.Once
	closeErr  error
}

// NewUplink opens the link and starts asking. It does not wait for an answer. Until SetHandler is called the parent's Prepares are
// answered with T01. An error is the factory's.
func NewUplink(c UplinkConfig) (*Uplink, error) {
	u := &Uplink{
		account: c.Account, expect: c.Asset, now: c.Now, random: c.Random, logger: c.Logger,
		connected: make(chan struct{}, 1),
	}
	u.withDefaults()
	u.state.Store(new(learned))
	ctx, stop := context.WithCancel(context.Background())
	u.stop = stop
	link, err := c.Open(ilpcore.HandlerFunc(u.incoming), u.linkState)
	if err != nil {
		stop()
		return nil, fmt.Errorf("open the link of account %q: %w", c.Account, err)
	}
	u.link = link
	u.running.Go(func() { u.ask(ctx) })
	return u, nil
}

// HandlePrepare sends a packet to the parent; T01 while its asset is not the expected one.
func (u *Uplink) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if err := u.state.Load().mismatch; err != nil {
		return ilpcore.Reject(ilpcore.T01, "", err.Error(), nil)
	}
	return u.link.HandlePrepare(ctx, in)
}

// StartPrepare is HandlePrepare for who does not wait, if the link can do so.
func (u *Uplink) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) (begun bool) {
	link, ok := u.link.(ilpcore.Starter)
	if !ok || u.state.Load().mismatch != nil {
		return false
	}
	return link.StartPrepare(ctx, in, asker, burst)
}

// Up says whether the parent is reachable and its asset the expected one.
func (u *Uplink) Up() bool { return u.link.Up() && u.state.Load().mismatch == nil }

// Err says in words for the operator what keeps the account from working: ErrAsset, what the link itself says, or the last failure to
// learn the address.
func (u *Uplink) Err() error {
	if err := u.state.Load().mismatch; err != nil {
		return err
	}
	if l, ok := u.link.(troubled); ok {
		if err := l.Err(); err != nil {
			return err
		}
	}
	if why := u.failure.Load(); why != nil {
		return fmt.Errorf("the parent gave no address: %s", *why)
	}
	return nil
}

// Learned returns the address and asset the parent gave last; ok is false before its first answer.
func (u *Uplink) Learned() (address ilpcore.Address, asset ilpcore.Asset, ok bool) {
	l := u.state.Load()
	return l.address, l.asset, l.address != "" && l.mismatch == nil
}

// SetHandler directs the parent's Prepares, from the next one on, to h: the newest Node.
func (u *Uplink) SetHandler(h ilpcore.Handler) { u.handler.Store(&h) }

// SetChanged makes f the function that is told each new address or asset, from the Uplink's own goroutine; nil for none.
func (u *Uplink) SetChanged(f func(ilpcore.Address, ilpcore.Asset)) { u.changed.Store(&f) }

// Close closes the link and waits for everything the Uplink has started. It may be called more than once.
func (u *Uplink) Close() error {
	u.closing.Do(func() {
		u.stop()
		u.closeErr = u.link.Close()
		u.running.Wait()
	})
	return u.closeErr
}

// incoming is where the link brings the parent's Prepares.
func (u *Uplink) incoming(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	h := u.handler.Load()
	if h == nil {
		return ilpcore.Reject(ilpcore.T01, "", "the node is starting; try again in a moment", nil)
	}
	return (*h).HandlePrepare(ctx, in)
}

// linkState is told by the link about connects and disconnects.
func (u *Uplink) linkState(up bool) {
	if !up {
		return
	}
	select {
	case u.connected <- struct{}{}:
	default: // one is waiting already
	}
}

var _ OpenLink = (*Uplink)(nil)
