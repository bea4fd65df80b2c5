package btp

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testToken = "our-very-secret-token"

var testFulfillment = [32]byte{1, 2, 3}

// testPrepare is a packet that expires in ten seconds and can be fulfilled with testFulfillment.
func testPrepare() ilpcore.Prepare {
	return ilpcore.Prepare{
		Amount: 107, ExpiresAt: time.Now().Add(10 * time.Second), Condition: sha256.Sum256(testFulfillment[:]),
		Destination: []byte("test.alice"), Data: []byte("end to end"),
	}
}

// soon is testPrepare with so little time that a test can wait for its end.
func soon() ilpcore.Prepare {
	p := testPrepare()
	p.ExpiresAt = time.Now().Add(150 * time.Millisecond)
	return p
}

// fulfilling answers with the fulfillment and the packet's own data: an echo that aliases the link's buffer.
var fulfilling = ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	return ilpcore.Fulfill(testFulfillment, in.Data)
})

func packetOf(t testing.TB, p interface{ Append([]byte) ([]byte, error) }) []byte {
	t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func prepareBytes(t testing.TB, p ilpcore.Prepare) []byte { return packetOf(t, &p) }
func replyBytes(t testing.TB, r ilpcore.Reply) []byte     { return packetOf(t, &r) }

// quick is the timing of tests: reconnecting at once, but patient where the test is not about time.
func quick() timing {
	t := standardTiming()
	t.waits = []time.Duration{0, time.Millisecond, 10 * time.Millisecond}
	t.stable = time.Millisecond
	t.drain, t.drift = 50*time.Millisecond, 50*time.Millisecond
	return t
}

// peerConn is a connection at the test server's side.
type peerConn struct {
	t    testing.TB
	conn *websocket.Conn
	ctx  context.Context
}

// read returns the next frame, or false when the connection is over.
func (p *peerConn) read() (frames.Frame, bool) {
	_, b, err := p.conn.Read(p.ctx)
	if err != nil {
		return frames.Frame{}, false
	}
	var f frames.Frame
	if err := f.Decode(b); err != nil {
		p.t.Errorf("the link sent %x: %v", b, err)
		return f, false
	}
	return f, true
}

func (p *peerConn) write(f frames.Frame) {
	b, err := f.Append(nil)
	if err != nil {
		p.t.Error(err)
	}
	p.raw(b)
}

func (p *peerConn) raw(b []byte) { _ = p.conn.Write(p.ctx, websocket.MessageBinary, b) }

func (p *peerConn) ilp(kind uint8, id uint32, packet []byte) {
	p.raw(frames.AppendILP(nil, kind, id, packet))
}

// authenticate does the server's part, as a stock server would.
func (p *peerConn) authenticate() bool {
	f, ok := p.read()
	if !ok {
		return false
	}
	auth, err := frames.ParseAuth(&f)
	if err != nil || auth.Token != testToken || auth.Username != "us" {
		p.t.Errorf("auth %v %q", err, auth.Username)
		p.write(frames.NewError(f.RequestID, frames.NotAccepted, "invalid auth_token", time.Now()))
		return false
	}
	p.write(frames.Frame{Type: frames.TypeResponse, RequestID: f.RequestID})
	return true
}

// wait reads until the connection is over, so that pings are answered.
func (p *peerConn) wait() {
	for {
		if _, _, err := p.conn.Read(p.ctx); err != nil {
			return
		}
	}
}

// listen starts a BTP server whose connections are served, from the auth message on, by serve.
func listen(t *testing.T, serve func(*peerConn)) *httptest.Server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Counted before the connection is taken over: server.Close does not wait for what no longer is HTTP.
		serving.Add(1)
		defer serving.Done()
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		conn.SetReadLimit(frames.MaxFrame)
		serve(&peerConn{t: t, conn: conn, ctx: ctx})
	}))
	t.Cleanup(func() {
		cancel()
		server.Close()
		serving.Wait()
	})
	return server
}

// authenticated wraps serve so that it begins after a good authentication.
func authenticated(serve func(*peerConn)) func(*peerConn) {
	return func(p *peerConn) {
		if p.authenticate() {
			serve(p)
		}
	}
}

func urlOf(server *httptest.Server) URL {
	_, host, _ := strings.Cut(server.URL, "://")
	scheme := "ws"
	if strings.HasPrefix(server.URL, "https") {
		scheme = "wss"
	}
	return URL{Endpoint: scheme + "://" + host, User: "us", Token: testToken}
}

// connect dials server, and waits until the link is up when the server lets it.
func connect(t *testing.T, server *httptest.Server, edit func(*Config, *timing)) *Link {
	t.Helper()
	c, timing := Config{Account: "up", URL: urlOf(server), Handler: fulfilling}, quick()
	ups := make(chan bool, 100)
	c.State = func(up bool) { ups <- up }
	if edit != nil {
		edit(&c, &timing)
	}
	l, err := dial(c, timing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	select {
	case <-ups:
	case <-time.After(5 * time.Second):
		t.Fatal("the link does not come up")
	}
	return l
}
