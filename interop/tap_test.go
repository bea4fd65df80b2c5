package interop

// This file is a tap on a link between two nodes: what one of them dials instead of the other. It passes on everything as it comes, BTP or HTTP, and
// breaks a connection when the one behind it breaks.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/btp"
)

// tap stands before a node, for one neighbour.
type tap struct {
	wire     *wire
	from, to string // who dials, and who is behind it
	target   string // host and port of the node behind
	client   *http.Transport
}

// before starts a tap before the node to, which listens on targetPort, for what from sends, and returns the port that from has to dial.
func (w *wire) before(from, to string, targetPort int) int {
	p := &tap{
		wire: w, from: from, to: to, target: fmt.Sprintf("127.0.0.1:%d", targetPort),
		client: &http.Transport{MaxIdleConnsPerHost: 256, DialContext: (&net.Dialer{}).DialContext, DisableCompression: true},
	}
	server := httptest.NewServer(p)
	w.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		w.transfers.Wait()
		p.client.CloseIdleConnections()
	})
	return server.Listener.Addr().(*net.TCPAddr).Port
}

func (p *tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		p.wire.transfers.Add(1)
		defer p.wire.transfers.Done()
		p.serveBTP(w, r)
		return
	}
	p.serveHTTP(w, r)
}

// serveHTTP passes one request on, and its answer back.
func (p *tap) serveHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	c := p.wire.prepare(p.from, p.to, body)
	request := r.Clone(r.Context())
	request.URL.Scheme, request.URL.Host, request.RequestURI = "http", p.target, ""
	request.Body = io.NopCloser(bytes.NewReader(body))
	response, err := p.client.RoundTrip(request)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if response.StatusCode == http.StatusOK {
		p.wire.reply(c, answer)
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	if _, err := w.Write(answer); err != nil || r.Context().Err() != nil {
		p.wire.lost(c)
	}
}

// serveBTP passes the messages of a WebSocket in both directions.
func (p *tap) serveBTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	there, _, err := websocket.Dial(ctx, "ws://"+p.target+r.URL.RequestURI(), nil)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.CloseNow()
	here, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer here.CloseNow()
	there.SetReadLimit(btp.MaxFrame)
	here.SetReadLimit(btp.MaxFrame)
	s := &tapped{tap: p, asked: make(map[question]*crossing)}
	var passing sync.WaitGroup
	var parting sync.Once
	for _, way := range []struct {
		from, to   *websocket.Conn
		sent, gets string
	}{{here, there, p.from, p.to}, {there, here, p.to, p.from}} {
		passing.Go(func() {
			s.pass(ctx, way.from, way.to, way.sent, way.gets)
			parting.Do(func() {
				way.to.Close(websocket.StatusGoingAway, "") // in order, so that all that came before is read
				cancel()
			})
		})
	}
	passing.Wait()
}

// tapped is a BTP connection.
type tapped struct {
	tap   *tap
	mu    sync.Mutex
	asked map[question]*crossing
}

// question is a request under way: who asked, with which number.
type question struct {
	asker string
	id    uint32
}

// pass copies messages from one node to the other, until either is gone.
func (s *tapped) pass(ctx context.Context, from, to *websocket.Conn, sender, getter string) {
	for {
		kind, message, err := from.Read(ctx)
		if err != nil {
			return
		}
		c := s.note(message, sender, getter)
		if err := to.Write(ctx, kind, message); err != nil {
			s.tap.wire.lost(c)
			return
		}
	}
}

// note records a message; of an answer it returns the packet that it answers.
func (s *tapped) note(message []byte, sender, getter string) *crossing {
	var f btp.Frame
	if f.Decode(message) != nil {
		return nil
	}
	packet, _ := f.ILP()
	if len(packet) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if packet[0] == ilpcore.TypePrepare {
		s.asked[question{sender, f.RequestID}] = s.tap.wire.prepare(sender, getter, packet)
		return nil
	}
	asked := question{getter, f.RequestID}
	c := s.asked[asked]
	delete(s.asked, asked)
	s.tap.wire.reply(c, packet)
	return c
}
