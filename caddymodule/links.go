package caddymodule

// This file keeps links open across config reloads: an unchanged link is the same connection afterwards (D9).

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilpheaders"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/payer"
)

const (
	linkBTP     = "btp"
	linkListen  = "btp listen"
	linkHTTP    = "http"
	linkHeaders = "headers"

	linkLoopback = "loopback"
	linkPing     = "ping"
)

// linkSettings is all that makes two links the same one, and so the pool's key. It holds secrets and is never printed.
type linkSettings struct {
	Kind     string // "": no link goes out
	URL      string
	Subject  string       // of the JSON Web Tokens we send, "" where we send none; the user after btp listen
	Outgoing string       // the token or key that proves who we are; the token after btp listen
	Simulate ilpcore.Code // what a loopback rejects with; the zero Code: it fulfils
	Account  ilpcore.AccountID
	Asset    ilpcore.Asset
	Parent   bool
	Insecure bool
	Guarded  bool          // it connects to public addresses only
	Lifetime time.Duration // of the JSON Web Tokens we send; 0: the default
}

// field is the name of the setting that the link comes from.
func (s linkSettings) field() string {
	switch s.Kind {
	case linkHTTP:
		return fieldHTTPURL
	case linkListen:
		return fieldBTPIncoming
	}
	return fieldBTPURL
}

// releaseLinks gives back many links at once: one whose neighbour does not do its part in closing takes three seconds, and there may be hundreds.
func releaseLinks(links []acquiredLink) error {
	errs := make([]error, len(links))
	var closing sync.WaitGroup
	for i, l := range links {
		closing.Go(func() { errs[i] = releaseLink(l.settings) })
	}
	closing.Wait()
	return errors.Join(errs...)
}

// linkInFlight is how many packets of a BTP neighbour may be at work at once, whatever its account: the node bounds those by max_in_flight, which
// must not be a part of the link, since a reload that changes it would break the connection.
const linkInFlight = 1 << 20

// linkPool holds the open links of the process.
var linkPool = caddy.NewUsagePool()

// pooledLink is an open link and whoever takes what it brings. Several configs may share it; the newest takes the packets.
type pooledLink struct {
	connector.OpenLink
	incoming *incoming
	awaited  *btp.Awaited // of a link that the neighbour dials: where the connection is brought to; else nil
}

// acquireLink returns the open link with these settings, opened now if need be. Each acquired link is given back once.
// expected is the asset that a new parent link expects; a link that is open has settled on one.
func acquireLink(s linkSettings, expected ilpcore.Asset) (*pooledLink, error) {
	value, _, err := linkPool.LoadOrNew(s, func() (caddy.Destructor, error) { return openLink(s, expected, pooledLogger()) })
	if err != nil {
		return nil, fmt.Errorf("account %s: opening its link: %w", s.Account, err)
	}
	return value.(*pooledLink), nil
}

func releaseLink(s linkSettings) error {
	_, err := linkPool.Delete(s)
	return err
}

func openLink(s linkSettings, expected ilpcore.Asset, logger *zap.Logger) (*pooledLink, error) {
	link := &pooledLink{incoming: &incoming{neighbour: s.Account}}
	factory := func(handler ilpcore.Handler, state func(up bool)) (connector.OpenLink, error) {
		state = link.incoming.telling(state)
		if s.Kind != linkListen {
			return dial(s, handler, state, logger)
		}
		var err error
		link.awaited, err = await(s, handler, state, logger)
		return link.awaited, err
	}
	var err error
	if !s.Parent {
		link.OpenLink, err = factory(link.incoming, func(bool) {})
		return link, err
	}
	uplink, err := connector.NewUplink(connector.UplinkConfig{Account: s.Account, Asset: expected, Open: factory, Logger: logger})
	if err != nil {
		return nil, err
	}
	uplink.SetHandler(link.incoming)
	link.OpenLink = uplink
	return link, nil
}

// dial is the LinkFactory of one link.
func dial(s linkSettings, handler ilpcore.Handler, state func(up bool), logger *zap.Logger) (connector.OpenLink, error) {
	switch s.Kind {
	case linkHTTP:
		// What the neighbour sends comes in through ilp_node, so handler is not needed.
		config := ilphttp.ClientConfig{Account: s.Account, Endpoint: s.URL, Insecure: s.Insecure, Logger: logger}
		if s.Guarded {
			config.Transport = guard(ilphttp.NewTransport())
		}
		if s.Subject == "" {
			config.Token = s.Outgoing
		} else {
			config.JWT = &ilphttp.OutgoingJWT{Subject: s.Subject, Secret: []byte(s.Outgoing), Lifetime: s.Lifetime}
		}
		return ilphttp.NewClient(config)
	case linkHeaders:
		return dialHeaders(s, logger)
	case linkLoopback:
		return endless{connector.NewLoopback(s.Simulate)}, nil
	case linkPing:
		return endless{connector.NewPingLink()}, nil
	case linkBTP:
		return dialBTP(s, handler, state, logger)
	}
	return nil, errors.New("a link of unknown kind")
}

// dialHeaders needs no handler either: see ilp_node.
func dialHeaders(s linkSettings, logger *zap.Logger) (connector.OpenLink, error) {
	config := ilpheaders.ClientConfig{Account: s.Account, Endpoint: s.URL, Insecure: s.Insecure, Logger: logger}
	if s.Subject == "" {
		config.Token = s.Outgoing
		return ilpheaders.NewClient(config)
	}
	minter, err := ilphttp.NewMinter(ilphttp.OutgoingJWT{Subject: s.Subject, Secret: []byte(s.Outgoing), Lifetime: s.Lifetime}, time.Now)
	if err != nil {
		return nil, err
	}
	config.Tokens = minter
	return ilpheaders.NewClient(config)
}

func dialBTP(s linkSettings, handler ilpcore.Handler, state func(up bool), logger *zap.Logger) (connector.OpenLink, error) {
	// The token of an API's account is a setting of its own, that of a Caddyfile's stands in the URL.
	address := btp.URL{Endpoint: s.URL, User: s.Subject, Token: s.Outgoing}
	if s.Outgoing == "" {
		var err error
		if address, err = btp.ParseURL(s.URL); err != nil {
			return nil, err
		}
	}
	config := btp.Config{
		Account: s.Account, URL: address, Insecure: s.Insecure, Handler: handler, State: state, Logger: logger,
		Unconfirmed: unconfirmed(logger), MaxInFlight: linkInFlight,
	}
	if s.Guarded {
		config.Transport = guard(btp.NewTransport())
	}
	return btp.Dial(config)
}

// guard keeps a transport to public addresses, each time it connects. Through a proxy it would not see them, so it uses none.
func guard(t *http.Transport) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second, Control: payer.PublicOnly()}
	t.Proxy, t.DialContext = nil, dialer.DialContext
	return t
}

// withoutLogin returns a BTP URL without what logs in.
func withoutLogin(rawURL string) string {
	u, err := btp.ParseURL(rawURL)
	if err != nil {
		return ""
	}
	return "btp+" + u.Endpoint
}

// endless is a link that has nothing to close.
type endless struct{ connector.Link }

func (endless) Close() error { return nil }

// await is dial for a link that the neighbour dials.
func await(s linkSettings, handler ilpcore.Handler, state func(up bool), logger *zap.Logger) (*btp.Awaited, error) {
	return btp.Await(btp.AwaitConfig{
		Account: s.Account, User: s.Subject, Token: s.Outgoing, Handler: handler, State: state, Logger: logger,
		Unconfirmed: unconfirmed(logger), MaxInFlight: linkInFlight,
	})
}

// unconfirmed returns what to do when a neighbour paid and its connection broke before it got the fulfillment: the credit stands, and a
// retry of the packet gets the same answer.
func unconfirmed(logger *zap.Logger) func(ilpcore.AccountID, amount.Amount) {
	return func(account ilpcore.AccountID, paid amount.Amount) {
		countUnconfirmed(account, paid)
		logger.Warn("a fulfillment could not be sent; the payment is credited", zap.String("account", string(account)), zap.Stringer("amount", paid))
	}
}

// Destruct closes the link once no config uses it.
func (l *pooledLink) Destruct() error { return l.Close() }

// incoming hands packets to the handler that was added last. Handlers of older configs stay below it, so that the running config gets
// its packets back when a newer one fails to start.
type incoming struct {
	neighbour ilpcore.AccountID
	mu        sync.RWMutex
	handlers  []*handler
	unsaid    bool // the link is up, and there was no handler to tell
}

// handler is an ilpcore.Handler with an identity, and who is told when the link comes up or goes down.
type handler struct {
	ilpcore.Handler
	announce func(neighbour ilpcore.AccountID, up bool)
}

func (i *incoming) add(h *handler) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handlers = append(i.handlers, h)
	if i.unsaid {
		i.unsaid = false
		h.announce(i.neighbour, true)
	}
}

// telling returns a state that also tells the newest handler. A link may be up before there is one.
func (i *incoming) telling(state func(up bool)) func(up bool) {
	return func(up bool) {
		i.tell(up)
		state(up)
	}
}

func (i *incoming) tell(up bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if n := len(i.handlers); n > 0 {
		i.handlers[n-1].announce(i.neighbour, up)
	} else {
		i.unsaid = up
	}
}

func (i *incoming) remove(h *handler) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handlers = slices.DeleteFunc(i.handlers, func(other *handler) bool { return other == h })
}

// HandlePrepare gives a packet to the newest handler.
func (i *incoming) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	newest := i.newest()
	if newest == nil {
		return ilpcore.Reject(ilpcore.T01, "", "the node is starting or stopping: try again in a moment", nil)
	}
	return newest.HandlePrepare(ctx, in)
}

// StartPrepare is HandlePrepare for a link that does not wait.
func (i *incoming) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) (begun bool) {
	newest := i.newest()
	if newest == nil {
		return false
	}
	starter, ok := newest.Handler.(ilpcore.Starter)
	return ok && starter.StartPrepare(ctx, in, asker, burst)
}

func (i *incoming) newest() *handler {
	i.mu.RLock()
	defer i.mu.RUnlock()
	if n := len(i.handlers); n > 0 {
		return i.handlers[n-1]
	}
	return nil
}

var (
	_ caddy.Destructor = (*pooledLink)(nil)
	_ ilpcore.Starter  = (*incoming)(nil)
)
