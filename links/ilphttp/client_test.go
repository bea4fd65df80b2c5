package ilphttp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/internal/testpeer"
)

const testToken = "alice:our-very-secret-token"

func newTestClient(t testing.TB, endpoint string, logger *zap.Logger) *Client {
	t.Helper()
	return newClientOver(t, nil, endpoint, logger)
}

// ways are the two by which a Client sends: directly, and by net/http.
var ways = map[string]func() http.RoundTripper{
	"direct":   func() http.RoundTripper { return nil },
	"net/http": func() http.RoundTripper { return opaque{NewTransport()} },
}

// opaque is a transport of which nothing more is known.
type opaque struct{ *http.Transport }

func newClientOver(t testing.TB, transport http.RoundTripper, endpoint string, logger *zap.Logger) *Client {
	t.Helper()
	c, err := NewClient(ClientConfig{Account: "up", Endpoint: endpoint, Token: testToken, Transport: transport, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// soon is testPrepare with so little time that a test can wait for its end.
func soon() ilpcore.Prepare {
	p := testPrepare()
	p.ExpiresAt = time.Now().Add(150 * time.Millisecond)
	return p
}

func TestClientAndServer(t *testing.T) {
	credentials := NewCredentials(nil)
	credentials.Add("alice", "our-very-secret-token")
	server, err := NewServer(ServerConfig{Accounts: credentials, Handler: fulfilling})
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"direct", "HTTP/1.1", "HTTP/2"} {
		peer := httptest.NewUnstartedServer(server)
		peer.EnableHTTP2 = way == "HTTP/2"
		if peer.EnableHTTP2 {
			peer.StartTLS()
		} else {
			peer.Start()
		}
		transport := peer.Client().Transport
		if way == "direct" {
			transport = nil
		}
		c, err := NewClient(ClientConfig{Endpoint: peer.URL + "/ilp", Token: testToken, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		if direct := c.direct != nil; direct != (way == "direct" && runtime.GOOS != "windows") {
			t.Errorf("%s: direct is %t", way, direct)
		}
		p := testPrepare()
		p.Data = make([]byte, ilpcore.MaxData)
		p.Data[ilpcore.MaxData-1] = 7
		if reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p}); string(reply.Data) != string(p.Data) {
			t.Errorf("%d bytes came back as %d", len(p.Data), len(reply.Data))
		}
		p.Data = []byte("a short one")
		reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p})
		if !reply.Fulfilled || reply.Fulfillment != testFulfillment || string(reply.Data) != string(p.Data) || !c.Up() {
			t.Errorf("reply %v %s %q, up %v", reply.Fulfilled, reply.Code, reply.Message, c.Up())
		}
		// The data belongs to the caller, whatever the client's buffers are used for next.
		other := testPrepare()
		for range 20 {
			other.Data = append(other.Data, 'x')
			c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: other})
		}
		if string(reply.Data) != string(p.Data) {
			t.Error("a later packet changed an earlier answer")
		}
		c.Close()
		peer.Close()
	}
}

func TestClientMapsAnswers(t *testing.T) {
	packet := func(r ilpcore.Reply) []byte {
		b, err := r.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, test := range map[string]struct {
		status int
		body   []byte
		want   ilpcore.Code // zero: fulfilled
		up     bool
	}{
		"fulfill":           {200, packet(ilpcore.Fulfill(testFulfillment, nil)), ilpcore.Code{}, true},
		"trailing bytes":    {200, append(packet(ilpcore.Fulfill(testFulfillment, nil)), 9, 9), ilpcore.Code{}, true},
		"reject":            {200, packet(ilpcore.Reject(ilpcore.F06, "test.them", "no", []byte{1})), ilpcore.F06, true},
		"wrong fulfillment": {200, packet(ilpcore.Fulfill([32]byte{9}, nil)), ilpcore.F05, true},
		"not a packet":      {200, []byte("OK"), ilpcore.T01, false},
		"empty":             {200, nil, ilpcore.T01, false},
		"too long":          {200, make([]byte, ilpcore.MaxReplyLength+1), ilpcore.T01, false},
		"accepted":          {202, nil, ilpcore.T01, false},
		"no content":        {204, nil, ilpcore.T01, false},
		"redirect":          {307, nil, ilpcore.T01, false},
		"bad request":       {400, nil, ilpcore.F00, true},
		"unauthorized":      {401, nil, ilpcore.T01, false},
		"forbidden":         {403, nil, ilpcore.T01, false},
		"not found":         {404, nil, ilpcore.T01, false},
		"too large":         {413, nil, ilpcore.F00, true},
		"slow down":         {429, nil, ilpcore.T02, true},
		"internal":          {500, []byte("oops"), ilpcore.T00, false},
		"bad gateway":       {502, nil, ilpcore.T00, false},
	} {
		t.Run(name, func(t *testing.T) {
			for way, transport := range ways {
				requests := 0
				peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					requests++
					body, _ := io.ReadAll(r.Body)
					if _, err := ilpcore.DecodePrepare(body); err != nil || r.Header.Get("Authorization") != "Bearer "+testToken ||
						r.Header.Get("Content-Type") != "application/octet-stream" || r.Method != http.MethodPost {
						t.Errorf("request %s %v %x %v", r.Method, r.Header, body, err)
					}
					w.Header().Set("Location", "/elsewhere")
					w.WriteHeader(test.status)
					_, _ = w.Write(test.body)
				}))
				t.Cleanup(peer.Close)
				core, logs := observer.New(zap.DebugLevel)
				c := newClientOver(t, transport(), peer.URL, zap.New(core))
				reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()})
				if reply.Code != test.want || reply.Fulfilled != (test.want == ilpcore.Code{}) || requests != 1 {
					t.Errorf("%s: reply %+v, want %s; %d requests", way, reply, test.want, requests)
				}
				if !reply.Fulfilled && reply.Message == "" {
					t.Error("no message")
				}
				if c.Up() != test.up {
					t.Errorf("%s: up %v, want %v", way, c.Up(), test.up)
				}
				noSecret(t, logs, reply)
			}
		})
	}
}

// The peers here do their worst; the client answers by the packet's expiry all the same.
func TestClientNeverHangs(t *testing.T) {
	silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c)
		}
	}
	hangUp := func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }
	for name, test := range map[string]struct {
		peer func(net.Conn)
		want ilpcore.Code
	}{
		"silent":                  {silent, ilpcore.R00},
		"closes at once":          {func(net.Conn) {}, ilpcore.T01},
		"closes after the packet": {hangUp, ilpcore.T01},
		"speaks no HTTP":          {say("SSH-2.0-OpenSSH\r\n\r\n"), ilpcore.T01},
		"stops in the header":     {say("HTTP/1.1 200 OK\r\nContent-"), ilpcore.R00},
		"stops in the body":       {say("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nabc"), ilpcore.R00},
		"stops after an error":    {say("HTTP/1.1 500 Oops\r\nContent-Length: 90\r\n\r\nabc"), ilpcore.T00},
		"closes in the body": {func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nabc")
		}, ilpcore.T01},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, transport := range ways {
				c := newClientOver(t, transport(), "http://"+testpeer.Listen(t, test.peer), nil)
				start := time.Now()
				reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: soon()})
				if reply.Code != test.want {
					t.Errorf("%s: reply %+v, want %s", way, reply, test.want)
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("%s: took %v", way, took)
				}
			}
		})
	}
}

func TestClientEndsWithItsContext(t *testing.T) {
	for way, transport := range ways {
		c := newClientOver(t, transport(), "http://"+testpeer.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), nil)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if reply := c.HandlePrepare(ctx, ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.R00 {
			t.Errorf("%s: reply %+v", way, reply)
		}
	}
}

func TestClientRefusesToSend(t *testing.T) {
	c := newTestClient(t, "http://127.0.0.1:9", nil)
	for name, test := range map[string]struct {
		edit func(*ilpcore.Prepare)
		want ilpcore.Code
	}{
		"expired":        {func(p *ilpcore.Prepare) { p.ExpiresAt = time.Now().Add(-time.Second) }, ilpcore.R00},
		"no destination": {func(p *ilpcore.Prepare) { p.Destination = nil }, ilpcore.F01},
		"nobody listens": {func(*ilpcore.Prepare) {}, ilpcore.T01},
	} {
		t.Run(name, func(t *testing.T) {
			p := testPrepare()
			test.edit(&p)
			if reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p}); reply.Code != test.want {
				t.Errorf("reply %+v, want %s", reply, test.want)
			}
		})
	}
}

func TestNewClientChecksItsSettings(t *testing.T) {
	for name, test := range map[string]struct {
		endpoint, token string
		insecure        bool
		want            error
	}{
		"https":              {"https://connector.example/ilp", "t", false, nil},
		"loopback name":      {"http://localhost:7770/ilp", "t", false, nil},
		"loopback v6":        {"http://[::1]:7770/ilp", "t", false, nil},
		"plain, allowed":     {"http://connector.example/ilp", "t", true, nil},
		"plain":              {"http://connector.example/ilp", "t", false, ErrInsecure},
		"userinfo":           {"https://user:hush@connector.example/ilp", "t", false, ErrEndpoint},
		"fragment":           {"https://connector.example/#hush", "t", false, ErrEndpoint},
		"other scheme":       {"btp+wss://hush.example", "t", false, ErrEndpoint},
		"no host":            {"https:///ilp", "t", false, ErrEndpoint},
		"not a URL":          {"https://%hush", "t", false, ErrEndpoint},
		"no token":           {"https://connector.example/ilp", "", false, ErrConfig},
		"token with newline": {"https://connector.example/ilp", "hush\r\nX: y", false, ErrConfig},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewClient(ClientConfig{Endpoint: test.endpoint, Token: test.token, Insecure: test.insecure})
			if !errors.Is(err, test.want) || err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

func noSecret(t *testing.T, logs *observer.ObservedLogs, reply ilpcore.Reply) {
	t.Helper()
	for _, e := range logs.All() {
		for k, v := range e.ContextMap() {
			if s, ok := v.(string); ok && strings.Contains(s, "our-very") {
				t.Errorf("log field %s shows the token", k)
			}
		}
	}
	if strings.Contains(reply.Message, "our-very") {
		t.Error("the reply shows the token")
	}
}
