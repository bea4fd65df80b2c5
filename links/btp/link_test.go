package btp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// The auth message of a stock JavaScript client, as recorded, but for the id and the values.
func TestAuthMessageIsAsStockClientsSendIt(t *testing.T) {
	got := make(chan []byte, 1)
	server := listen(t, func(p *peerConn) {
		_, b, err := p.conn.Read(p.ctx)
		if err != nil {
			return
		}
		select {
		case got <- b:
		default:
		}
		p.write(frames.Frame{Type: frames.TypeResponse, RequestID: 0xa23e90f3})
		p.wait()
	})
	connect(t, server, func(c *Config, _ *timing) {
		c.URL.User, c.URL.Token = "", "tok"
		c.Random = io.MultiReader(bytes.NewReader(make([]byte, 8)), bytes.NewReader([]byte{0xa2, 0x3e, 0x90, 0xf3}), rand.Reader)
	})
	want := "06a23e90f3" + "29" + "0103" + "0461757468" + "0000" + "0d617574685f757365726e616d65" + "0100" + "0a617574685f746f6b656e" + "0103746f6b"
	if b := <-got; hex.EncodeToString(b) != want {
		t.Errorf("sent %x, want %s", b, want)
	}
}

func TestDialChecksItsSettings(t *testing.T) {
	for name, test := range map[string]struct {
		config Config
		want   error
	}{
		"no URL":   {Config{}, ErrURL},
		"no token": {Config{URL: URL{Endpoint: "wss://h.example"}}, ErrURL},
		"exposed":  {Config{URL: URL{Endpoint: "ws://h.example", Token: "hush"}}, ErrInsecure},
		"userinfo": {Config{URL: URL{Endpoint: "wss://u:hush@h.example", Token: "hush"}}, ErrURL},
	} {
		if _, err := Dial(test.config); !errors.Is(err, test.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// When the connection is lost the packets under way get T01 in a moment and new ones at once, and the link comes back.
func TestLinkReconnects(t *testing.T) {
	var states []bool
	var mu sync.Mutex
	up := make(chan struct{}, 10)
	again := make(chan struct{})
	var connections atomic.Int32
	server := listen(t, authenticated(func(p *peerConn) {
		if connections.Add(1) == 1 {
			p.read() // one packet, and then the end
			return
		}
		echo(p)
	}))
	l := connect(t, server, func(c *Config, timing *timing) {
		timing.waits = []time.Duration{0}
		note := c.State
		c.State = func(is bool) {
			note(is)
			mu.Lock()
			states = append(states, is)
			mu.Unlock()
			if is {
				up <- struct{}{}
			} else {
				<-again
			}
		}
	})
	<-up
	start := time.Now()
	if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.T01 {
		t.Errorf("under way: %+v", reply)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the packet under way waited %v", took)
	}
	for l.Up() {
		time.Sleep(time.Millisecond)
	}
	if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.T01 {
		t.Errorf("while down: %+v", reply)
	}
	close(again)
	<-up
	if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); !reply.Fulfilled {
		t.Errorf("after coming back: %+v", reply)
	}
	l.Close()
	if want := []bool{true, false, true, false}; fmt.Sprint(states) != fmt.Sprint(want) {
		t.Errorf("states %v, want %v", states, want)
	}
}

// Peers that never become a link: packets get T01 at once, the log says why in few lines, and never the token.
func TestLinkNeverHangsWhileConnecting(t *testing.T) {
	tcp := func(serve func(net.Conn)) func(*testing.T) string {
		return func(t *testing.T) string { return "ws://" + rawServer(t, serve) }
	}
	ws := func(serve func(*peerConn)) func(*testing.T) string {
		return func(t *testing.T) string { return urlOf(listen(t, serve)).Endpoint }
	}
	status := func(code int) func(*testing.T) string {
		return func(t *testing.T) string {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/?"+testToken)
				w.WriteHeader(code)
			}))
			t.Cleanup(s.Close)
			return urlOf(s).Endpoint
		}
	}
	for name, test := range map[string]struct {
		peer   func(*testing.T) string
		reason string
	}{
		"nobody listens": {func(*testing.T) string { return "ws://127.0.0.1:9" }, "refused"},
		"silent":         {tcp(func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "dial"},
		"closes":         {tcp(func(net.Conn) {}), "dial"},
		"no HTTP":        {tcp(func(c net.Conn) { _, _ = io.WriteString(c, "220 smtp\r\n"); _, _ = io.Copy(io.Discard, c) }), "dial"},
		"not found":      {status(404), "404"},
		"redirects":      {status(302), "302"},
		"no answer":      {ws(func(p *peerConn) { p.wait() }), "did not answer the authentication"},
		"closes on auth": {ws(func(p *peerConn) { p.read() }), "closed"},
		"other frames only": {ws(func(p *peerConn) {
			f, _ := p.read()
			p.write(frames.Frame{Type: frames.TypeResponse, RequestID: f.RequestID + 1})
			p.raw([]byte{1, 2, 3})
			p.wait()
		}), "did not answer the authentication"},
		"refuses": {ws(func(p *peerConn) {
			f, _ := p.read()
			refusal := frames.NewError(f.RequestID, frames.NotAccepted, "unknown token "+testToken, time.Now())
			refusal.Error.Name = "No-" + testToken
			p.write(refusal)
			p.wait()
		}), "refused our BTP credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			core, logs := observer.New(zap.DebugLevel)
			timing := quick()
			timing.dial, timing.auth = 400*time.Millisecond, 400*time.Millisecond
			l, err := dial(Config{
				Account: "up", URL: URL{Endpoint: test.peer(t), User: "us", Token: testToken}, Logger: zap.New(core),
				State: func(bool) { t.Error("the link says it is up") },
			}, timing)
			if err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				if err := l.Err(); err != nil && strings.Contains(err.Error(), test.reason) {
					break
				}
			}
			start := time.Now()
			if reply := l.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}); reply.Code != ilpcore.T01 || l.Up() {
				t.Errorf("reply %+v, up %v", reply, l.Up())
			}
			if err := l.Err(); err == nil || !strings.Contains(err.Error(), test.reason) || strings.Contains(err.Error(), testToken) {
				t.Errorf("the link's problem is %v", err)
			}
			l.Close()
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			checkLog(t, logs, test.reason)
		})
	}
}

func checkLog(t *testing.T, logs *observer.ObservedLogs, reason string) {
	t.Helper()
	said := false
	for _, e := range logs.All() {
		line := fmt.Sprint(e.Message, e.ContextMap(), e.Context)
		said = said || strings.Contains(line, reason)
		if strings.Contains(line, testToken) {
			t.Errorf("the log shows the token: %s", line)
		}
	}
	if !said || logs.Len() > 2 {
		t.Errorf("%d log lines, none says %q: %v", logs.Len(), reason, logs.All())
	}
}

// A peer whose machine is gone answers no ping.
func TestLinkNoticesADeadPeer(t *testing.T) {
	var connections atomic.Int32
	hold := make(chan struct{})
	up := make(chan bool, 10)
	l := connect(t, listen(t, authenticated(func(p *peerConn) {
		if connections.Add(1) == 1 {
			<-hold // reads no more, so no pong
			return
		}
		p.wait()
	})), func(c *Config, timing *timing) {
		timing.ping, timing.pong = 20*time.Millisecond, 50*time.Millisecond
		note := c.State
		c.State = func(is bool) { note(is); up <- is }
	})
	for _, want := range []bool{true, false, true} {
		select {
		case is := <-up:
			if is != want {
				t.Errorf("state %v, want %v", is, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("not noticed")
		}
	}
	close(hold)
	l.Close()
}

// A peer that accepts nothing more cannot keep the link's goroutines, or hide that Fulfills were lost.
func TestLinkEndsWithAPeerThatDoesNotRead(t *testing.T) {
	const packets = 400
	var lost, handled atomic.Uint64
	var connections atomic.Int32
	down := make(chan struct{})
	hold := make(chan struct{})
	data := make([]byte, ilpcore.MaxData)
	l := connect(t, listen(t, authenticated(func(p *peerConn) {
		if connections.Add(1) > 1 {
			p.wait()
			return
		}
		prepare := prepareBytes(t, testPrepare())
		for i := range uint32(packets) {
			p.ilp(frames.TypeMessage, i, prepare)
		}
		<-hold
	})), func(c *Config, timing *timing) {
		timing.write = 100 * time.Millisecond
		c.Handler = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			handled.Add(1)
			return ilpcore.Fulfill(testFulfillment, data)
		})
		c.Unconfirmed = func(ilpcore.AccountID, amount.Amount) { lost.Add(1) }
		note := c.State
		c.State = func(is bool) {
			note(is)
			if !is {
				select {
				case <-down:
				default:
					close(down)
				}
			}
		}
	})
	select {
	case <-down:
	case <-time.After(10 * time.Second):
		t.Fatal("the link hangs")
	}
	close(hold)
	l.Close()
	if lost.Load() == 0 || lost.Load() > handled.Load() {
		t.Errorf("%d of %d Fulfills unconfirmed", lost.Load(), handled.Load())
	}
	if len(l.slots) > cap(l.slots) {
		t.Error("slots leaked")
	}
}

// rawServer serves each TCP connection with serve, and returns the address.
func rawServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			serving.Go(func() {
				serve(c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return l.Addr().String()
}
