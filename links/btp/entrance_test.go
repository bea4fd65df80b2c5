package btp

// This file is a listening node and its peers, as far as tests drive them by hand.

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// wrapper is a response writer as middleware makes them: what lies below is only reached by Unwrap.
type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// entrance is a Listener behind a server.
type entrance struct {
	*Listener
	server *httptest.Server
	logs   *observer.ObservedLogs
}

func newEntrance(t testing.TB, c ListenerConfig, timing timing, links ...*Awaited) *entrance {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	c.Logger = zap.New(core)
	e := &entrance{Listener: newListener(c, timing), logs: logs}
	for _, a := range links {
		e.Add(a)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ilp/btp", func(w http.ResponseWriter, r *http.Request) { e.ServeHTTP(wrapper{wrapper{w}}, r) })
	mux.Handle("/accounts/{account}/ilp/btp", e)
	e.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		e.Close()
		e.server.Close()
		for _, line := range logs.All() {
			if strings.Contains(line.Message, testToken) || strings.Contains(toText(line), testToken) {
				t.Errorf("the log shows the token: %v", line)
			}
		}
	})
	return e
}

func toText(line observer.LoggedEntry) string {
	var b strings.Builder
	for _, f := range line.Context {
		b.WriteString(f.Key + f.String)
		if err, ok := f.Interface.(error); ok {
			b.WriteString(err.Error())
		}
	}
	return b.String()
}

func newAwaited(t testing.TB, edit func(*AwaitConfig, *timing)) *Awaited {
	t.Helper()
	c, timing := AwaitConfig{Account: "bob", User: "b+b", Token: testToken, Handler: fulfilling}, quick()
	if edit != nil {
		edit(&c, &timing)
	}
	a, err := await(c, timing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// open dials the listener and shows nothing yet.
func (e *entrance) open(t testing.TB, path string, h http.Header) *peerConn {
	t.Helper()
	conn, response, err := websocket.Dial(t.Context(), e.server.URL+path, &websocket.DialOptions{HTTPHeader: h, CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(frames.MaxFrame)
	if x := response.Header.Get("Sec-WebSocket-Extensions"); x != "" {
		t.Errorf("extensions %q", x)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return &peerConn{t: t, conn: conn, ctx: t.Context()}
}

// enter dials the listener and authenticates.
func (e *entrance) enter(t testing.TB) *peerConn {
	t.Helper()
	p := e.open(t, "/ilp/btp", nil)
	p.write(frames.AuthMessage(7, frames.Auth{Token: testToken}))
	if f, ok := p.read(); !ok || f.Type != frames.TypeResponse || f.RequestID != 7 || len(f.Entries) != 0 {
		t.Fatalf("the login was answered with %+v, %v", f, ok)
	}
	return p
}

// rejected reads what a failed login is answered with.
func (p *peerConn) rejected(id uint32) error {
	f, ok := p.read()
	if !ok {
		return errors.New("no frame came")
	}
	if f.Type != frames.TypeError || f.RequestID != id || f.Error.Code != frames.NotAccepted || f.Error.Name != "NotAcceptedError" || f.Error.TriggeredAt.IsZero() {
		return errors.New("another frame came: " + f.Error.Error())
	}
	return p.closedWith(websocket.StatusPolicyViolation)
}

func (p *peerConn) closedWith(want websocket.StatusCode) error {
	if _, b, err := p.conn.Read(p.ctx); websocket.CloseStatus(err) != want {
		return fmt.Errorf("got %x, %v", b, err)
	}
	return nil
}

func waitUp(t testing.TB, a *Awaited, want bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); a.Up() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the link's state does not become %v: %v", want, a.Err())
		}
	}
}
