package interop

// This file is a peer that does its worst at the other end of a link: over BTP, where it dials the node, and over HTTP.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/btp"
)

// misdeed is how a peer answers a packet, whose fulfillment is given: as BTP frames, or by HTTP.
type misdeed struct {
	name string
	code ilpcore.Code // what the sender gets; zero: a Fulfill
	btp  func(p *btpPeer, id uint32, fulfill []byte)
	http func(w http.ResponseWriter, fulfill []byte)
	ends bool // the BTP connection is over then
}

// btpPeer is a BTP connection to the account bad.
type btpPeer struct {
	t    *testing.T
	conn *websocket.Conn
	last uint32 // the request that was answered last
}

// dialBTP opens a WebSocket to an account of the node, and no more.
func dialBTP(t *testing.T, g *gateway, account string) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, fmt.Sprintf("ws://127.0.0.1:%d/accounts/%s/ilp/btp", g.node, account), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body != nil {
		response.Body.Close()
	}
	conn.SetReadLimit(btp.MaxFrame)
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// newBTPPeer logs in.
func newBTPPeer(t *testing.T, g *gateway, token string) *btpPeer {
	t.Helper()
	p := &btpPeer{t: t, conn: dialBTP(t, g, "bad")}
	hello := btp.AuthMessage(1, btp.Auth{Token: token})
	b, err := hello.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.write(b)
	if f, err := p.read(); err != nil || f.Type != btp.TypeResponse {
		t.Fatalf("the login was answered with %+v, %v", f, err)
	}
	return p
}

func (p *btpPeer) write(b []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p.conn.Write(ctx, websocket.MessageBinary, b) // what is not taken is not answered: the answers are judged
}

func (p *btpPeer) read() (f btp.Frame, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, b, err := p.conn.Read(ctx)
	if err != nil {
		return f, err
	}
	return f, f.Decode(b)
}

func (p *btpPeer) answer(id uint32, packet []byte) {
	p.write(btp.AppendILP(nil, btp.TypeResponse, id, packet))
}

// serve answers the next packet as the deed says.
func (p *btpPeer) serve(deed misdeed, fulfill []byte) {
	for {
		f, err := p.read()
		if err != nil {
			p.t.Errorf("%s: no packet came: %v", deed.name, err)
			return
		}
		packet, ok := f.ILP()
		if prepare, err := ilpcore.DecodePrepare(packet); !ok || err != nil || string(prepare.Destination) != "test.bad.someone" {
			p.answer(f.RequestID, mustPacket(ilpcore.Fulfill(ilpcore.PeerFulfillment, nil))) // routes
			continue
		}
		deed.btp(p, f.RequestID, fulfill)
		p.last = f.RequestID
		return
	}
}

func mustPacket(reply ilpcore.Reply) []byte {
	b, err := reply.Append(nil)
	if err != nil {
		panic(err)
	}
	return b
}

// httpPeer is a server that the account worse posts packets to.
type httpPeer struct {
	*httptest.Server
	deed atomic.Pointer[func(w http.ResponseWriter)]
}

func newHTTPPeer(t *testing.T) *httpPeer {
	p := new(httpPeer)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if prepare, err := ilpcore.DecodePrepare(body); err != nil || string(prepare.Destination) != "test.worse.someone" {
			w.Write(mustPacket(ilpcore.Fulfill(ilpcore.PeerFulfillment, nil))) // routes
			return
		}
		(*p.deed.Load())(w)
	}))
	t.Cleanup(func() {
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

// hijacked lets f write to the connection itself, and closes it.
func hijacked(f func(w *bufio.Writer)) func(http.ResponseWriter, []byte) {
	return func(w http.ResponseWriter, _ []byte) {
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		f(buffered.Writer)
		buffered.Flush()
	}
}
