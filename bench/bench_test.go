//go:build linux

package main

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/payer"
)

func TestParseAnswer(t *testing.T) {
	for _, test := range []struct {
		name, text          string
		status, head, total int
		bad                 bool
	}{
		{name: "whole", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", status: 200, head: 38, total: 40},
		{name: "body to come", text: "HTTP/1.1 402 Payment Required\r\nContent-Length: 2\r\n\r\n", status: 402, head: 52, total: 54},
		{name: "head to come", text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"},
		{name: "no content", text: "HTTP/1.1 204 No Content\r\nAllow: GET\r\n\r\n", status: 204, head: 39, total: 39},
		{name: "chunked", text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bad: true},
		{name: "no HTTP", text: "SSH-2.0-OpenSSH\r\n\r\n", bad: true},
		{name: "odd status", text: "HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\nhi", bad: true},
		{name: "negative", text: "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi", bad: true},
	} {
		status, head, total, err := parseAnswer([]byte(test.text))
		if (err != nil) != test.bad {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil && (status != test.status || head != test.head || total != test.total) {
			t.Errorf("%s: %d, %d, %d; want %d, %d, %d", test.name, status, head, total, test.status, test.head, test.total)
		}
	}
}

// counting is a job of so many requests that expects the backend's page.
type counting struct{ left, answers int }

func (c *counting) request(b []byte) ([]byte, bool) {
	c.left--
	return append(b, "GET / HTTP/1.1\r\nHost: bench\r\n\r\n"...), c.left >= 0
}

func (c *counting) answer(status int, _, body []byte) error {
	if status != 200 || len(body) != 100 {
		return errors.New("not the page")
	}
	c.answers++
	return nil
}

func TestClientAndBackend(t *testing.T) {
	b, err := startBackend(respondPage)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []*counting
	c, err := newClient(b.address, 3, func(i int) job {
		jobs = append(jobs, &counting{left: 10 * i})
		return jobs[i]
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.run(t.Context(), 0)
	if err != nil || s.requests != 30 || len(s.times) != 30 || s.took <= 0 {
		t.Errorf("%d requests, %d times in %v, %v; want 30", s.requests, len(s.times), s.took, err)
	}
	for i, j := range jobs {
		if j.answers != 10*i {
			t.Errorf("connection %d got %d answers", i, j.answers)
		}
		j.left = 1 << 30
	}
	if s, err = c.run(t.Context(), 60*time.Millisecond); err != nil || s.requests == 0 || s.took < 60*time.Millisecond {
		t.Errorf("%d requests in %v, %v", s.requests, s.took, err)
	}
	if err := errors.Join(c.close(), b.close()); err != nil {
		t.Error(err)
	}
}

// A server that goes away ends the run with an error instead of a wrong figure.
func TestClientNoticesTheEnd(t *testing.T) {
	fd, address, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClient(address, 1, func(int) job { return &counting{left: 1} })
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	closed := make(chan error)
	go func() { closed <- unix.Close(fd) }() // with it goes the connection that nobody accepted
	if _, err := c.run(ctx, 0); err == nil || ctx.Err() != nil {
		t.Errorf("the run ended with %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// Packets are what a PSK2 receiver takes, and other fulfillments are not taken for theirs.
func TestCraft(t *testing.T) {
	to := &token{ask: payer.Ask{Address: "test.bench.x", Secret: make([]byte, 32)}}
	var p payment
	if err := p.craft(to, 7); err != nil {
		t.Fatal(err)
	}
	prepare, err := ilpcore.DecodePrepare(p.Packet)
	if err != nil || prepare.Amount != 7 || string(prepare.Destination) != "test.bench.x" {
		t.Fatalf("%+v, %v", prepare, err)
	}
	for _, test := range []struct {
		reply ilpcore.Reply
		good  bool
	}{
		{ilpcore.Fulfill(to.keys.Fulfillment(prepare.Data), nil), true},
		{ilpcore.Fulfill([32]byte{1}, nil), false},
		{ilpcore.Reject(ilpcore.T00, "", "no", nil), false},
	} {
		answer, err := test.reply.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Check(answer); (err == nil) != test.good {
			t.Errorf("%v: %v", test.reply.Fulfilled, err)
		}
	}
}

func TestFigures(t *testing.T) {
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("the median of three is %v", m)
	}
	if s := spread([]float64{4, 1, 2, 3}, 1); s != "2.5 (1.0..4.0)" {
		t.Errorf("the spread is %q", s)
	}
	var times []time.Duration
	for i := 200; i > 0; i-- {
		times = append(times, time.Duration(i)*time.Millisecond)
	}
	if p50, p99 := milliseconds(times, 50), milliseconds(times, 99); p50 != "100.00" || p99 != "198.00" {
		t.Errorf("p50 %s, p99 %s", p50, p99)
	}
	if m := milliseconds([]time.Duration{time.Second}, 99); m != "1000.00" {
		t.Errorf("the p99 of one is %s", m)
	}
	if r := pairwise([]float64{4, 9}, []float64{2, 3}, ratio); r[0] != 2 || r[1] != 3 {
		t.Errorf("ratios %v", r)
	}
}

func TestSplice(t *testing.T) {
	document := "a\n" + tablesBegin + "old\n" + tablesEnd + "b\n"
	for range 2 {
		changed, err := splice([]byte(document), part{tablesBegin, "new"})
		if want := "a\n" + tablesBegin + "\nnew\n" + tablesEnd + "b\n"; err != nil || string(changed) != want {
			t.Errorf("%q, %v", changed, err)
		}
		document = string(changed)
	}
	if _, err := splice([]byte("nothing\n"), part{tablesBegin, "new"}); !errors.Is(err, errNoMarks) {
		t.Error(err)
	}
	published, err := os.ReadFile(filepath.Join("..", "docs", "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, begin := range []string{tablesBegin, sendersBegin} {
		if _, err := splice(published, part{begin, "new"}); err != nil {
			t.Error("docs/performance.md:", err)
		}
	}
}

// The CPU clock counts what is worked and not what is slept.
func TestProcessTime(t *testing.T) {
	before, err := processTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 50*time.Millisecond; {
		runtime.Gosched()
	}
	after, err := processTime(os.Getpid())
	if used := after - before; err != nil || used <= 0 || used > time.Minute {
		t.Errorf("used %v, %v", used, err)
	}
	if _, err := processTime(1<<22 + 1); err == nil {
		t.Error("a process that cannot be has a clock")
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		args string
		out  string
		bad  bool
	}{
		{args: "", out: "docs/performance.md"},
		{args: "-short", out: ""},
		{args: "-short -out x.md", out: "x.md"},
		{args: "-only packets", out: ""},
		{args: "-only node", out: ""},
		{args: "-only node -out x.md", out: "x.md"},
		{args: "-only everything", bad: true},
		{args: "-slice 1ms", bad: true},
		{args: "-tokens 10", bad: true},
		{args: "extra", bad: true},
	} {
		o, err := readOptions(strings.Fields(test.args))
		if (err != nil) != test.bad || err == nil && o.out != test.out {
			t.Errorf("%q: %+v, %v", test.args, o, err)
		}
	}
	if o, err := readOptions(strings.Fields("-short -rounds 9")); err != nil || o.rounds != 9 || o.slice != 300*time.Millisecond {
		t.Errorf("%+v, %v", o, err)
	}
}

// Both sites are the same but for the paywall.
func TestCaddyfiles(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:1")
	bare, paid := bareCaddyfile(at, at, at, at), paidCaddyfile(at, at, at, at, peers{secret: "s", btp: at, links: 2})
	if n := strings.Count(bare, proxy(at)) + strings.Count(paid, proxy(at)); n != 2 {
		t.Errorf("the proxy appears %d times", n)
	}
	if strings.Contains(bare, "paywall") || !strings.Contains(paid, "\tpaywall 10\n"+proxy(at)) || !strings.Contains(paid, "btp+ws://btp1:s@127.0.0.1:1") {
		t.Errorf("%s\n%s", bare, paid)
	}
}

func TestEach(t *testing.T) {
	groups := [][]token{make([]token, 2), {}, make([]token, 1)}
	next, got := each(groups), []*token{}
	for x := next(); x != nil; x = next() {
		got = append(got, x)
	}
	if len(got) != 3 || got[0] != &groups[0][0] || got[2] != &groups[2][0] || next() != nil {
		t.Errorf("%d tokens", len(got))
	}
}
