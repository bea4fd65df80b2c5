package btp

// This file takes in the WebSockets of peers that dial us, and hands each to the link of the account that it authenticates as.

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// maxLogins is how many connections may be on their way to authentication at once; each holds a few kilobytes, for five seconds at most.
const maxLogins = 1000

// ListenerConfig is what a Listener is made of. All of it may be left out.
type ListenerConfig struct {
	Origins []string                   // of browser pages that may connect, such as https://wallet.example; none: no page may
	Remote  func(*http.Request) string // the peer's IP address, with or without port, which attempts are counted by; nil: RemoteAddr
	Logger  *zap.Logger                // nil: none
	Now     func() time.Time           // nil: time.Now
}

// Listener is the http.Handler that peers dial. It owns a connection until its authentication has ended; from then on the Awaited link does,
// which outlives the Listener. A login that fails disturbs nobody who is connected.
type Listener struct {
	origins  []string
	remote   func(*http.Request) string
	logger   *zap.Logger
	now      func() time.Time
	timing   timing
	attempts attempts
	quiet    rate.Sometimes // of the log, on failed logins

	ctx     context.Context
	stop    context.CancelFunc
	logins  chan struct{} // holds one element per connection that is not authenticated yet
	mu      sync.RWMutex
	closed  bool
	links   []*Awaited
	running sync.WaitGroup // logins
}

// NewListener returns a Listener for no account; see Add.
func NewListener(c ListenerConfig) *Listener { return newListener(c, standardTiming()) }

func newListener(c ListenerConfig, t timing) *Listener {
	l := &Listener{
		origins: c.Origins, remote: c.Remote, logger: c.Logger, now: c.Now, timing: t,
		logins: make(chan struct{}, maxLogins), quiet: rate.Sometimes{First: 10, Interval: time.Second},
	}
	if l.remote == nil {
		l.remote = func(r *http.Request) string { return r.RemoteAddr }
	}
	if l.logger == nil {
		l.logger = zap.NewNop()
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

// Add lets the link's peer log in. Where two links could take a login, as while an account's settings change, the one added last does.
func (l *Listener) Add(a *Awaited) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.links = append(slices.Clone(l.links), a)
}

// Remove takes the link out again. Its connection stays until the link is closed.
func (l *Listener) Remove(a *Awaited) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.links = slices.DeleteFunc(slices.Clone(l.links), func(other *Awaited) bool { return other == a })
}

// Close drops the connections that are not authenticated yet, waits for that, and answers 503 from then on.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.stop()
	l.running.Wait()
	return nil
}

// ServeHTTP serves the account the path names by net/http's wildcard {account}, or whichever the login belongs to.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.ServeAccount(w, r, r.PathValue("account"))
}

// ServeAccount is ServeHTTP for callers with a router of their own. account is the one the path names; "" lets the login decide. It
// returns when the connection has ended: middleware, such as Caddy's access log, may count what is written to it until then.
func (l *Listener) ServeAccount(w http.ResponseWriter, r *http.Request, account string) {
	if !l.admit(w, r) {
		return
	}
	remote := l.remote(r)
	undo, ok := l.attempts.start(remote, l.now())
	if !ok {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusTooManyRequests, "too many failed BTP logins from this address; try again in a moment")
		return
	}
	s := l.loginOver(w, r, remote, account)
	if s == nil {
		return
	}
	undo()
	<-s.over
}

// loginOver makes a WebSocket of the request and logs its peer in, or answers itself.
func (l *Listener) loginOver(w http.ResponseWriter, r *http.Request, remote, account string) *session {
	if !l.enter() {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "too many BTP logins at once; try again in a moment")
		return nil
	}
	defer l.leave()
	c, err := upgrade(w, r, l.timing.write)
	if err != nil {
		return nil // the library has answered
	}
	c.remote = host(remote)
	s, err := l.login(c, account)
	if err != nil {
		l.quiet.Do(func() {
			l.logger.Warn("a BTP login failed", zap.String("peer", c.remote), zap.String("path_account", l.known(account)), zap.Error(err))
		})
	}
	return s
}

// admit refuses what is no WebSocket, and browsers.
func (l *Listener) admit(w http.ResponseWriter, r *http.Request) bool {
	if !upgrades(r) {
		if r.ProtoMajor == 1 { // later ones have no Upgrade
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
		}
		refuse(w, http.StatusUpgradeRequired, "This is a BTP endpoint for Interledger peers: connect by WebSocket over HTTP/1.1.")
		return false
	}
	// A page could use the token that its reader typed elsewhere, or probe a node that only its reader can reach.
	for _, origin := range r.Header["Origin"] {
		if !slices.Contains(l.origins, origin) {
			refuse(w, http.StatusForbidden, "web pages of this origin may not connect here")
			return false
		}
	}
	return true
}

// enter takes a place among the logins.
func (l *Listener) enter() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return false
	}
	select {
	case l.logins <- struct{}{}:
		l.running.Add(1)
		return true
	default:
		return false
	}
}

func (l *Listener) leave() {
	<-l.logins
	l.running.Done()
}

// known returns account if it is one, so that the log does not repeat what strangers write into a path.
func (l *Listener) known(account string) string {
	for _, a := range l.current() {
		if string(a.account) == account {
			return account
		}
	}
	return ""
}

func (l *Listener) current() []*Awaited {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.links
}

// find returns the link that s authenticates, or nil. A token that two accounts share needs a name with it.
func (l *Listener) find(path string, auth frames.Auth) (found *Awaited) {
	s := show(path, auth)
	ambiguous := false
	for _, a := range l.current() {
		if !a.secret.matches(&s) {
			continue
		}
		ambiguous = ambiguous || found != nil && found.account != a.account
		found = a
	}
	if ambiguous {
		return nil
	}
	return found
}

// upgrades says whether r asks for a WebSocket.
func upgrades(r *http.Request) bool {
	for _, value := range r.Header["Upgrade"] {
		for protocol := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(protocol), "websocket") {
				return r.ProtoMajor == 1
			}
		}
	}
	return false
}

// refuse answers with a status and a sentence for the person who runs the peer.
func refuse(w http.ResponseWriter, status int, sentence string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(sentence + "\n")) // nobody is left to tell about a failure
}

func host(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}

var _ http.Handler = (*Listener)(nil)
