package ilpheaders

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/internal/testpeer"
	"github.com/paydoor/paydoor/links/posting"
)

func newTestClient(t testing.TB, endpoint string, logger *zap.Logger) *Client {
	t.Helper()
	c, err := NewClient(ClientConfig{Account: "up", Endpoint: endpoint, Token: testToken, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestClientAndServer(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		peer := httptest.NewUnstartedServer(newTestServer(t, ServerConfig{}))
		peer.EnableHTTP2 = http2
		if http2 {
			peer.StartTLS()
		} else {
			peer.Start()
		}
		c, err := NewClient(ClientConfig{Endpoint: peer.URL + "/", Token: testToken, Transport: peer.Client().Transport})
		if err != nil {
			t.Fatal(err)
		}
		p := testPrepare()
		p.Data = make([]byte, ilpcore.MaxData)
		p.Data[ilpcore.MaxData-1] = 7
		if reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p}); string(reply.Data) != string(p.Data) {
			t.Errorf("%d bytes came back as %d: %s", len(p.Data), len(reply.Data), reply.Message)
		}
		p.Data = []byte("a short one")
		reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p})
		if !reply.Fulfilled || reply.Fulfillment != testFulfillment || string(reply.Data) != "a short one" || reply.Trail != nil || !c.Up() || c.Err() != nil {
			t.Errorf("reply %+v, up %v", reply, c.Up())
		}
		// The data belongs to the caller, whatever the memory of the link is used for next.
		other := testPrepare()
		for range 20 {
			other.Data = append(other.Data, 'x')
			c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: other})
		}
		if string(reply.Data) != "a short one" {
			t.Error("a later packet changed an earlier answer")
		}
		c.Close()
		peer.Close()
	}
}

func TestClientSendsTheRequestOfTheDraft(t *testing.T) {
	var got http.Header
	var body string
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r.Header, r.Method+" "+r.URL.Path+" "+string(b)
		w.WriteHeader(500)
	}))
	defer peer.Close()
	p := testPrepare()
	p.ExpiresAt = time.Date(2099, 12, 7, 18, 47, 59, 15_000_000, time.UTC)
	p.Condition, _ = parseHash(seedCondition)
	newTestClient(t, peer.URL, nil).HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p})
	for name, want := range map[string]string{
		"ILP-Destination": "test.alice", "ILP-Condition": seedCondition, "ILP-Expiry": "2099-12-07T18:47:59.015Z", "ILP-Amount": "107",
		"Authorization": "Bearer " + testToken, "Content-Type": "application/octet-stream", "Accept-Encoding": "",
	} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
	if body != "POST / end to end" {
		t.Errorf("sent %q", body)
	}
}

func TestClientMapsAnswers(t *testing.T) {
	right, wrong := formatHash(testFulfillment), formatHash([32]byte{9})
	long := strings.Repeat("x", ilpcore.MaxData+1)
	for name, test := range map[string]struct {
		status int
		header string // lines
		body   string
		want   ilpcore.Code // zero: fulfilled
		data   string
		up     bool
	}{
		"fulfill":                    {200, "ILP-Fulfillment: " + right, "data", ilpcore.Code{}, "data", true},
		"unpadded":                   {200, "ILP-Fulfillment: " + strings.TrimSuffix(right, "="), "", ilpcore.Code{}, "", true},
		"fulfill with an odd status": {500, "ILP-Fulfillment: " + right, "data", ilpcore.Code{}, "data", true},
		"fulfill, data too long":     {200, "ILP-Fulfillment: " + right, long, ilpcore.Code{}, "", true},
		"fulfill and error":          {400, "ILP-Fulfillment: " + right + "\nILP-Error-Code: F02", "data", ilpcore.Code{}, "data", true},
		"wrong fulfillment":          {200, "ILP-Fulfillment: " + wrong, "data", ilpcore.F05, "", true},
		"broken fulfillment":         {200, "ILP-Fulfillment: abc", "", ilpcore.F05, "", true},
		"wrong fulfillment, error":   {200, "ILP-Fulfillment: " + wrong + "\nILP-Error-Code: T04", "data", ilpcore.T04, "data", true},
		"two fulfillments":           {200, "ILP-Fulfillment: " + right + "\nILP-Fulfillment: " + right, "", ilpcore.T01, "", false},
		"reject":                     {404, "ILP-Error-Code: F02", "data", ilpcore.F02, "data", true},
		"reject with status 200":     {200, "ILP-Error-Code: F06", "data", ilpcore.F06, "data", true},
		"reject with a redirect":     {307, "ILP-Error-Code: T05", "", ilpcore.T05, "", true},
		"reject of a stranger":       {401, "ILP-Error-Code: F00", "", ilpcore.F00, "", true},
		"reject, data too long":      {400, "ILP-Error-Code: F99", long, ilpcore.F99, "", true},
		"unknown code":               {400, "ILP-Error-Code: P00", "", ilpcore.Code{'P', '0', '0'}, "", true},
		"two codes":                  {400, "ILP-Error-Code: F02\nILP-Error-Code: T00", "", ilpcore.T01, "", false},
		"code too long":              {400, "ILP-Error-Code: F022", "", ilpcore.F00, "", true},
		"nothing":                    {200, "", "OK", ilpcore.F05, "", false},
		"accepted":                   {202, "", "", ilpcore.T01, "", false},
		"redirect":                   {307, "", "", ilpcore.T01, "", false},
		"bad request":                {400, "", "no", ilpcore.F00, "", true},
		"unauthorized":               {401, "", "", ilpcore.T01, "", false},
		"not found":                  {404, "", "", ilpcore.T01, "", false},
		"too large":                  {413, "", "", ilpcore.F00, "", true},
		"slow down":                  {429, "", "", ilpcore.T02, "", true},
		"internal":                   {500, "", "oops", ilpcore.T00, "", false},
		"bad gateway":                {502, "", "", ilpcore.T00, "", false},
		"endless headers":            {200, "X: " + strings.Repeat("x", 20<<10), "", ilpcore.T01, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				w.Header().Set("Location", "/elsewhere")
				for line := range strings.SplitSeq(test.header, "\n") {
					if name, value, ok := strings.Cut(line, ": "); ok {
						w.Header().Add(name, value)
					}
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer peer.Close()
			core, logs := observer.New(zap.DebugLevel)
			c := newTestClient(t, peer.URL, zap.New(core))
			reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()})
			if reply.Code != test.want || reply.Fulfilled != (test.want == ilpcore.Code{}) || string(reply.Data) != test.data || requests != 1 {
				t.Errorf("reply %+v, want %s with %q; %d requests", reply, test.want, test.data, requests)
			}
			if c.Up() != test.up {
				t.Errorf("up %v, want %v", c.Up(), test.up)
			}
			for _, e := range logs.All() {
				if text := e.Message + reply.Message; strings.Contains(text, "our-very") {
					t.Errorf("%q shows the token", text)
				}
			}
		})
	}
}

// The peers here do their worst; the client answers by the packet's expiry all the same.
func TestClientNeverHangs(t *testing.T) {
	say := func(text string, hangUp bool) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
			if !hangUp {
				_, _ = io.Copy(io.Discard, c)
			}
		}
	}
	fulfilled := "HTTP/1.1 200 OK\r\nILP-Fulfillment: " + formatHash(testFulfillment) + "\r\n"
	for name, test := range map[string]struct {
		peer func(net.Conn)
		want ilpcore.Code
	}{
		"silent":                   {say("", false), ilpcore.R00},
		"closes after the packet":  {say("", true), ilpcore.T01},
		"speaks no HTTP":           {say("SSH-2.0-OpenSSH\r\n\r\n", false), ilpcore.T01},
		"stops in the header":      {say(fulfilled, false), ilpcore.R00},
		"stops in the data":        {say(fulfilled+"Content-Length: 90\r\n\r\nabc", false), ilpcore.Code{}},
		"closes in the data":       {say(fulfilled+"Content-Length: 90\r\n\r\nabc", true), ilpcore.Code{}},
		"stops in an error's data": {say("HTTP/1.1 400 No\r\nILP-Error-Code: F99\r\nContent-Length: 90\r\n\r\nabc", false), ilpcore.F99},
		"stops after a status":     {say("HTTP/1.1 500 Oops\r\nContent-Length: 90\r\n\r\nabc", false), ilpcore.T00},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTestClient(t, "http://"+testpeer.Listen(t, test.peer), nil)
			p := testPrepare()
			p.ExpiresAt = time.Now().Add(150 * time.Millisecond)
			start := time.Now()
			reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: p})
			if reply.Code != test.want || reply.Fulfilled != (test.want == ilpcore.Code{}) {
				t.Errorf("reply %+v, want %s", reply, test.want)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestClientEndsWithItsContext(t *testing.T) {
	c := newTestClient(t, "http://"+testpeer.Listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if reply := c.HandlePrepare(ctx, ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.R00 {
		t.Errorf("reply %+v", reply)
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
		"two lines":      {func(p *ilpcore.Prepare) { p.Destination = []byte("test.a\r\nX: y") }, ilpcore.F01},
		"too much data":  {func(p *ilpcore.Prepare) { p.Data = make([]byte, ilpcore.MaxData+1) }, ilpcore.F01},
		"year 10000":     {func(p *ilpcore.Prepare) { p.ExpiresAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }, ilpcore.F01},
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

type tokens struct{ err error }

func (s tokens) Token() (string, error) { return testToken, s.err }

func TestClientAsksForItsTokens(t *testing.T) {
	peer := httptest.NewServer(newTestServer(t, ServerConfig{}))
	defer peer.Close()
	for _, test := range []struct {
		err  error
		want ilpcore.Code
	}{{nil, ilpcore.Code{}}, {errors.New("no key"), ilpcore.T00}} {
		c, err := NewClient(ClientConfig{Endpoint: peer.URL, Tokens: tokens{test.err}})
		if err != nil {
			t.Fatal(err)
		}
		if reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != test.want {
			t.Errorf("%v: %+v", test.err, reply)
		}
		c.Close()
	}
}

func TestNewClientChecksItsSettings(t *testing.T) {
	const good = "https://connector.example/"
	for name, test := range map[string]struct {
		config ClientConfig
		want   error
	}{
		"https":              {ClientConfig{Endpoint: good, Token: "t"}, nil},
		"loopback":           {ClientConfig{Endpoint: "http://[::1]:7770/", Token: "t"}, nil},
		"plain, allowed":     {ClientConfig{Endpoint: "http://connector.example/", Token: "t", Insecure: true}, nil},
		"plain":              {ClientConfig{Endpoint: "http://connector.example/", Token: "t"}, posting.ErrInsecure},
		"userinfo":           {ClientConfig{Endpoint: "https://user:hush@connector.example/", Token: "t"}, posting.ErrEndpoint},
		"other scheme":       {ClientConfig{Endpoint: "btp+wss://hush.example", Token: "t"}, posting.ErrEndpoint},
		"no token":           {ClientConfig{Endpoint: good}, ErrConfig},
		"token with newline": {ClientConfig{Endpoint: good, Token: "hush\r\nX: y"}, ErrConfig},
		"two ways":           {ClientConfig{Endpoint: good, Token: "hush", Tokens: tokens{}}, ErrConfig},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewClient(test.config)
			if !errors.Is(err, test.want) || err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}
