package caddymodule

// This file has paid answers that last, and many that come at once.

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func TestConcurrentRequestsSpendNoMoreThanThereIs(t *testing.T) {
	s := newServer(t)
	var hits atomic.Int64
	s.handler = func(http.ResponseWriter, *http.Request) { hits.Add(1) }
	s.load()
	s.pay("100")
	var paid, refused atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			switch a := s.do(http.MethodGet, "/"); a.StatusCode {
			case http.StatusOK:
				paid.Add(1)
			case http.StatusPaymentRequired:
				refused.Add(1)
			default:
				t.Errorf("an answer is %s", a.Status)
			}
		})
	}
	all.Wait()
	if hits.Load() != 10 || paid.Load() != 10 || refused.Load() != 190 {
		t.Errorf("%d hits, %d paid, %d refused", hits.Load(), paid.Load(), refused.Load())
	}
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "0")
}

func TestEventsArriveOneByOne(t *testing.T) {
	s := newServer(t)
	seen := make(chan struct{})
	goOn := sync.OnceFunc(func() { close(seen) })
	t.Cleanup(goOn)
	s.handler = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: one\n\n")
		_ = http.NewResponseController(w).Flush()
		<-seen
		fmt.Fprint(w, "data: two\n\n")
	}
	s.load()
	s.pay("100")
	request, err := http.NewRequest(http.MethodGet, "http://"+s.gateway+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Pay-Token", token)
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	events := bufio.NewReader(response.Body)
	within(t, 5*time.Second, "the first event", func() {
		if line, err := events.ReadString('\n'); err != nil || line != "data: one\n" {
			t.Errorf("the first event is %q, %v", line, err)
		}
	})
	goOn()
	rest, err := io.ReadAll(events)
	if err != nil || !strings.Contains(string(rest), "data: two") {
		t.Errorf("the rest is %q, %v", rest, err)
	}
	if got := response.Header.Get("Pay-Balance"); got != "90" {
		t.Errorf("Pay-Balance is %q", got)
	}
}

func TestUpgradeIsCharged(t *testing.T) {
	s := newServer(t)
	s.handler = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		line, _ := both.ReadString('\n')
		fmt.Fprint(conn, "echo "+line)
	}
	s.load()
	s.pay("100")
	conn, err := net.Dial("tcp", s.gateway)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nPay-Token: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", s.gateway, token)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the upgrade is answered %s", response.Status)
	}
	fmt.Fprint(conn, "hello\n")
	if line, err := reader.ReadString('\n'); err != nil || line != "echo hello\n" {
		t.Errorf("the echo is %q, %v", line, err)
	}
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "90")
}

// TestDocumentedLogFilter wants neither token nor payment secret in any log that is set up as the documentation says, and the
// account in the access log.
func TestDocumentedLogFilter(t *testing.T) {
	s := newServer(t)
	s.site = "log\n" + s.site
	s.load() // so that s.caddyfile is known to be good
	file := t.TempDir() + "/log"
	logged := strings.Replace(s.caddyfile(), "output discard", "output file "+file+`
		level DEBUG
		format filter {
			request>headers>Pay-Token hash
			resp_headers>Pay-Token hash
			resp_headers>Pay delete
		}`, 1)
	if err := s.tryLoad(logged); err != nil {
		t.Fatal(err)
	}
	s.pay("100")
	quote := strings.Fields(s.do(http.MethodOptions, "/").Header.Get("Pay"))
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "90")
	s.handler = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	s.want(s.do(http.MethodGet, "/"), http.StatusBadGateway, "90")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	log := string(b)
	if strings.Contains(log, token) {
		t.Errorf("the log has the token: %s", lineWith(log, token))
	}
	if strings.Contains(log, quote[2]) {
		t.Errorf("the log has the secret of a payment: %s", lineWith(log, quote[2]))
	}
	for _, want := range []string{`"paywall_outcome":"settled"`, `"paywall_outcome":"released"`, `"paywall_charged":10`, `"paywall_account":"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

func lineWith(text, part string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}
