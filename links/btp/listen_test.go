package btp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// Who may log in as whom, in every shape that peers use.
func TestLogin(t *testing.T) {
	bob := newAwaited(t, nil)
	carol := newAwaited(t, func(c *AwaitConfig, _ *timing) { c.Account, c.User, c.Token = "carol", "", "a:b:shared" })
	dave := newAwaited(t, func(c *AwaitConfig, _ *timing) { c.Account, c.User, c.Token = "dave", "", "a:b:shared" })
	e := newEntrance(t, ListenerConfig{}, quick(), bob, carol, dave)
	for name, test := range map[string]struct {
		path, user, token string
		want              *Awaited
	}{
		"bare token":                         {"", "", testToken, bob},
		"account as user":                    {"", "bob", testToken, bob},
		"configured user":                    {"", "b+b", testToken, bob},
		"account in the path":                {"bob", "", testToken, bob},
		"path and user":                      {"bob", "b+b", testToken, bob},
		"account in the token":               {"", "", "bob:" + testToken, bob},
		"user in the token":                  {"", "", "b+b:" + testToken, bob},
		"path, user, and name in the token":  {"bob", "bob", "bob:" + testToken, bob},
		"shared token":                       {"", "", "a:b:shared", nil},
		"shared token with user":             {"", "carol", "a:b:shared", carol},
		"shared token with path":             {"dave", "", "a:b:shared", dave},
		"shared token with name":             {"", "", "dave:a:b:shared", dave},
		"other user":                         {"", "carol", testToken, nil},
		"unknown user":                       {"", "b", testToken, nil},
		"other path":                         {"carol", "", testToken, nil},
		"unknown path":                       {"nobody", "", testToken, nil},
		"user of another on his path":        {"carol", "bob", testToken, nil},
		"another's name in the token":        {"", "", "carol:" + testToken, nil},
		"another's name, on one's own path":  {"bob", "", "carol:" + testToken, nil},
		"empty name in the token":            {"", "", ":" + testToken, nil},
		"wrong token":                        {"bob", "bob", testToken + "x", nil},
		"wrong token after name":             {"", "", "bob:" + testToken[1:], nil},
		"empty token":                        {"bob", "bob", "", nil},
		"empty token after name":             {"bob", "bob", "bob:", nil},
		"path of other letter case":          {"Bob", "", testToken, nil},
		"user that another has as his alias": {"", "", "carol:bob:" + testToken, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/ilp/btp"
			if test.path != "" {
				path = "/accounts/" + test.path + "/ilp/btp"
			}
			p := e.open(t, path, nil)
			p.write(frames.AuthMessage(9, frames.Auth{Username: test.user, Token: test.token}))
			if test.want == nil {
				if err := p.rejected(9); err != nil {
					t.Error(err)
				}
				return
			}
			if f, ok := p.read(); !ok || f.Type != frames.TypeResponse || f.RequestID != 9 {
				t.Fatalf("answer %+v, %v", f, ok)
			}
			waitUp(t, test.want, true)
			p.conn.CloseNow()
			waitUp(t, test.want, false)
			if err := test.want.Err(); err == nil {
				t.Error("no reason for being down")
			}
		})
	}
}

// First frames that authenticate nobody.
func TestLoginRefusesOtherFirstFrames(t *testing.T) {
	e := newEntrance(t, ListenerConfig{}, quick(), newAwaited(t, nil))
	message := func(entries ...frames.Entry) frames.Frame {
		return frames.Frame{Type: frames.TypeMessage, RequestID: 9, Entries: entries}
	}
	token := frames.Entry{Name: frames.NameToken, ContentType: frames.ContentText, Data: []byte(testToken)}
	for name, send := range map[string]func(p *peerConn) error{
		"a packet": func(p *peerConn) error {
			p.ilp(frames.TypeMessage, 9, prepareBytes(t, testPrepare()))
			return p.rejected(9)
		},
		"no token": func(p *peerConn) error { p.write(message(frames.Entry{Name: frames.NameAuth})); return p.rejected(9) },
		"token first": func(p *peerConn) error {
			p.write(message(token, frames.Entry{Name: frames.NameAuth}))
			return p.rejected(9)
		},
		"nothing in it": func(p *peerConn) error { p.write(message()); return p.rejected(9) },
		"a transfer": func(p *peerConn) error {
			p.write(frames.Frame{Type: frames.TypeTransfer, RequestID: 9, Amount: 5})
			return p.rejected(9)
		},
		"a response": func(p *peerConn) error {
			f := frames.AuthMessage(9, frames.Auth{Token: testToken})
			f.Type = frames.TypeResponse
			p.write(f)
			return p.rejected(9)
		},
		"no frame": func(p *peerConn) error { p.raw([]byte{6, 1}); return p.closedWith(websocket.StatusPolicyViolation) },
		"empty":    func(p *peerConn) error { p.raw(nil); return p.closedWith(websocket.StatusPolicyViolation) },
		"text": func(p *peerConn) error {
			f := frames.AuthMessage(9, frames.Auth{Token: testToken})
			_ = p.conn.Write(p.ctx, websocket.MessageText, packetOf(t, &f))
			return p.closedWith(websocket.StatusPolicyViolation)
		},
		"too long": func(p *peerConn) error {
			p.write(frames.AuthMessage(9, frames.Auth{Token: strings.Repeat("x", maxLogin)}))
			return p.closedWith(websocket.StatusMessageTooBig)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := send(e.open(t, "/ilp/btp", nil)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestListenerRefusesWhatIsNoPeer(t *testing.T) {
	e := newEntrance(t, ListenerConfig{Origins: []string{"https://wallet.example"}}, quick(), newAwaited(t, nil))
	websocketHeaders := func(more ...string) http.Header {
		h := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = []string{more[i+1]}
		}
		return h
	}
	for name, test := range map[string]struct {
		method string
		header http.Header
		status int
		says   string
	}{
		"plain GET":       {"GET", nil, 426, "BTP endpoint"},
		"POST":            {"POST", nil, 426, "BTP endpoint"},
		"h2c":             {"GET", http.Header{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}}, 426, "BTP endpoint"},
		"browser":         {"GET", websocketHeaders("Origin", "https://evil.example"), 403, "web pages"},
		"own origin":      {"GET", websocketHeaders("Origin", e.server.URL), 403, "web pages"},
		"null origin":     {"GET", websocketHeaders("Origin", "null"), 403, "web pages"},
		"POST to upgrade": {"POST", websocketHeaders(), 405, "GET"},
		"old version":     {"GET", websocketHeaders("Sec-Websocket-Version", "8"), 400, "13"},
		"no key":          {"GET", websocketHeaders("Sec-Websocket-Key", "short"), 400, "Key"},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, e.server.URL+"/ilp/btp", nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, values := range test.header {
				request.Header[name] = values
			}
			response, err := e.server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != test.status || !strings.Contains(string(body), test.says) {
				t.Errorf("%d %q", response.StatusCode, body)
			}
			if test.status == 426 && response.Header.Get("Upgrade") != "websocket" {
				t.Error("no Upgrade header")
			}
		})
	}
	e.open(t, "/ilp/btp", http.Header{"Origin": {"https://wallet.example"}}) // fails the test if refused
}

// A peer that says nothing, or says it too slowly, is gone after the deadline, and the place it took is free again.
func TestListenerDropsSlowLogins(t *testing.T) {
	timing := quick()
	timing.login, timing.bye = 50*time.Millisecond, 50*time.Millisecond
	e := newEntrance(t, ListenerConfig{}, timing, newAwaited(t, nil))
	silent := e.open(t, "/ilp/btp", nil)
	slow := e.open(t, "/ilp/btp", nil)
	w, err := slow.conn.Writer(t.Context(), websocket.MessageBinary)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for { // a fragment now and then, and never the last one
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	for name, p := range map[string]*peerConn{"silent": silent, "slow": slow} {
		if _, _, err := p.conn.Read(t.Context()); err == nil {
			t.Errorf("%s: got an answer", name)
		}
	}
	for end := time.Now().Add(5 * time.Second); len(e.logins) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the places are not given back")
		}
	}
}

// Failed logins are counted per address, and only those.
func TestListenerBoundsAttempts(t *testing.T) {
	now := time.Now()
	e := newEntrance(t, ListenerConfig{Remote: func(r *http.Request) string { return r.Header.Get("From") }, Now: func() time.Time { return now }}, quick(), newAwaited(t, nil))
	from := http.Header{"From": {"192.0.2.1"}}
	for range attemptBurst {
		p := e.open(t, "/ilp/btp", from)
		p.write(frames.AuthMessage(9, frames.Auth{Token: "guess"}))
		if err := p.rejected(9); err != nil {
			t.Fatal(err)
		}
	}
	_, response, err := websocket.Dial(t.Context(), e.server.URL+"/ilp/btp", &websocket.DialOptions{HTTPHeader: from})
	if err == nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") == "" {
		t.Fatalf("%v, %v", response, err)
	}
	if n := e.logs.FilterMessage("a BTP login failed").Len(); n == 0 || n > 20 {
		t.Errorf("%d log lines", n)
	}
	for range 2 * attemptBurst { // from another address
		e.enter(t).conn.CloseNow()
	}
	now = now.Add(attemptInterval)
	e.open(t, "/ilp/btp", from) // fails the test if refused
}

// A login that fails leaves the connected peer alone, on the account's own path too.
func TestFailedLoginDisturbsNobody(t *testing.T) {
	a := newAwaited(t, nil)
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	live := e.enter(t)
	for _, auth := range []frames.Auth{{Token: "wrong"}, {Username: "bob", Token: "wrong"}, {Username: "bob"}} {
		p := e.open(t, "/accounts/bob/ilp/btp", nil)
		p.write(frames.AuthMessage(1, auth))
		if err := p.rejected(1); err != nil {
			t.Error(err)
		}
	}
	e.open(t, "/ilp/btp", nil) // and one that does not even try
	live.ilp(frames.TypeMessage, 3, prepareBytes(t, testPrepare()))
	if f, ok := live.read(); !ok || f.RequestID != 3 || !isFulfill(f) {
		t.Errorf("the connected peer got %+v, %v", f, ok)
	}
}

// The Listener's end drops who is not authenticated, and nobody else.
func TestListenerClose(t *testing.T) {
	a := newAwaited(t, nil)
	e := newEntrance(t, ListenerConfig{}, quick(), a)
	live, waiting := e.enter(t), e.open(t, "/ilp/btp", nil)
	waitUp(t, a, true)
	e.Remove(a)
	e.Close()
	if _, _, err := waiting.conn.Read(t.Context()); err == nil {
		t.Error("the login went on")
	}
	if _, response, err := websocket.Dial(t.Context(), e.server.URL+"/ilp/btp", nil); err == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after Close: %v", err)
	}
	live.ilp(frames.TypeMessage, 3, prepareBytes(t, testPrepare()))
	if f, ok := live.read(); !ok || !isFulfill(f) {
		t.Errorf("the connected peer got %+v, %v", f, ok)
	}
}

// A plain HTTP/2 client is told to use HTTP/1.1.
func TestListenerOverHTTP2(t *testing.T) {
	l := newListener(ListenerConfig{}, quick())
	server := httptest.NewUnstartedServer(l)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusUpgradeRequired || !strings.Contains(string(body), "HTTP/1.1") {
		t.Errorf("%s %d %q", response.Proto, response.StatusCode, body)
	}
}

// Over TLS the session works, and a Link of ours gets through.
func TestListenerOverTLS(t *testing.T) {
	a := newAwaited(t, nil)
	l := newListener(ListenerConfig{}, quick())
	l.Add(a)
	server := httptest.NewTLSServer(l)
	t.Cleanup(server.Close)
	link := connect(t, server, func(c *Config, _ *timing) {
		c.URL.User, c.Transport = "bob", server.Client().Transport.(*http.Transport)
	})
	waitUp(t, a, true)
	for name, send := range map[string]ilpcore.Handler{"dialled": link, "listened": a} {
		if reply := send.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); !reply.Fulfilled {
			t.Errorf("%s: %+v", name, reply)
		}
	}
	a.Close()
	if err := a.Err(); err == nil || a.Up() {
		t.Error("up after Close")
	}
}
