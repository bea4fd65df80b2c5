//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// What a parcel sends, the far side fulfils; and each packet is another one, since connectors answer repeated ones from memory.
func TestCrossing(t *testing.T) {
	c := &crossing{destination: "test.http.far"}
	seen := make(map[string]bool)
	for range 100 {
		packet, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		prepare, err := ilpcore.DecodePrepare(packet)
		if err != nil || prepare.Amount != 1 || string(prepare.Destination) != "test.http.far" || seen[string(prepare.Data)] {
			t.Fatalf("%+v, %v", prepare, err)
		}
		seen[string(prepare.Data)] = true
		answer, paid, err := answerCrossing(packet, nil)
		if err != nil || !paid {
			t.Fatalf("paid %v, %v", paid, err)
		}
		if err := c.Check(answer); err != nil {
			t.Error(err)
		}
	}
	stale, _, err := answerCrossing(c.Packet, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.next(); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(stale); err == nil {
		t.Error("the answer to another packet is taken")
	}
}

func TestAnswerCrossing(t *testing.T) {
	for _, test := range []struct {
		name, destination string
		amount            amount.Amount
		data              int
		paid, bad         bool
	}{
		{name: "a packet of ours", destination: "test.http.far", amount: 1, data: crossingData, paid: true},
		{name: "talk between neighbours", destination: "peer.route.control", data: 10},
		{name: "another amount", destination: "test.http.far", amount: 2, data: crossingData, bad: true},
		{name: "other data", destination: "test.http.far", amount: 1, data: 10, bad: true},
	} {
		prepare := ilpcore.Prepare{Amount: test.amount, ExpiresAt: time.Now(), Destination: []byte(test.destination), Data: make([]byte, test.data)}
		packet, err := prepare.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, paid, err := answerCrossing(packet, nil)
		if (err != nil) != test.bad || paid != test.paid {
			t.Errorf("%s: paid %v, %v", test.name, paid, err)
		}
		if err != nil {
			continue
		}
		if reply, err := ilpcore.DecodeReply(answer); err != nil || reply.Fulfilled != test.paid {
			t.Errorf("%s: %+v, %v", test.name, reply, err)
		}
	}
}

// The far side answers a request that comes in pieces, and counts what it fulfils.
func TestFarSide(t *testing.T) {
	r := new(relay)
	far, err := startBackend(r.respond)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClient(far.address, 3, func(int) job {
		return &limited{left: 5, pay: newPay("secret", &crossing{destination: "test.http.far"})}
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.run(t.Context(), 0)
	if err := errors.Join(err, c.close(), far.close()); err != nil {
		t.Error(err)
	}
	if s.requests != 15 || r.received.Load() != 15 {
		t.Errorf("%d answered, %d received; want 15", s.requests, r.received.Load())
	}
	request, _ := newPay("secret", &crossing{destination: "test.http.far"}).request(nil)
	for n := range request {
		if _, length, paid, err := answerPost(request[:n], nil); length != 0 || paid || err != nil {
			t.Fatalf("%d of %d bytes: length %d, paid %v, %v", n, len(request), length, paid, err)
		}
	}
	if _, length, paid, err := answerPost(append(request, "POST"...), nil); length != len(request) || !paid || err != nil {
		t.Errorf("length %d, paid %v, %v; want %d", length, paid, err, len(request))
	}
	if _, _, _, err := answerPost([]byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), nil); err == nil {
		t.Error("a request without length is taken")
	}
}

// limited is so many packets.
type limited struct {
	*pay
	left int
}

func (l *limited) request(b []byte) ([]byte, bool) {
	if l.left--; l.left < 0 {
		return b, false
	}
	return l.pay.request(b)
}

// Books that do not agree end the run; those that are not told do not.
func TestRelayCheck(t *testing.T) {
	const rust = `{"accounts":[{"id":"http-in","balance":{"clearing":-3,"prepaid":0}},{"id":"http-out","balance":{"clearing":2,"prepaid":%d}},` +
		`{"id":"btp-in","balance":{"clearing":-2,"prepaid":0}},{"id":"btp-out","balance":{"clearing":2,"prepaid":0}}]}`
	const npm = `{"accounts":{"http-in":{"balance":"3"},"http-out":{"balance":"%d"},"btp-in":{"balance":"2"},"btp-out":{"balance":"-2"}}}`
	var text atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if text.Load() == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, text.Load())
	}))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	at := netip.MustParseAddrPort(server.Listener.Addr().String())
	for _, test := range []struct {
		name      string
		connector bool
		text      string
		received  uint64
		told, bad bool
	}{
		{name: "the node agrees", text: fmt.Sprintf(rust, 1), received: 3, told: true},
		{name: "the node differs", text: fmt.Sprintf(rust, 2), received: 3, bad: true},
		{name: "the node has no such account", text: `{"accounts":[]}`, received: 3, bad: true},
		{name: "the node does not tell", received: 3},
		{name: "ilp-connector agrees", connector: true, text: fmt.Sprintf(npm, -3), received: 3, told: true},
		{name: "ilp-connector differs", connector: true, text: fmt.Sprintf(npm, 3), received: 3, bad: true},
		{name: "ilp-connector has to tell", connector: true, received: 3, bad: true},
		{name: "a packet was fulfilled by nobody", text: fmt.Sprintf(rust, 1), received: 2, bad: true},
	} {
		text.Store(test.text)
		r := &relay{
			gateway: &gateway{name: "x", admin: at}, entry: at, out: new(neighbour), ask: askNode,
			sent: map[string]uint64{httpIn: 3, httpOut: 3, btpIn: 2, btpOut: 2},
		}
		if test.connector {
			r.ask = askConnector
		}
		r.received.Store(test.received)
		r.out.received.Store(2)
		if told, err := r.check(t.Context()); told != test.told || (err != nil) != test.bad {
			t.Errorf("%s: told %v, %v", test.name, told, err)
		}
	}
}

func TestDescribeConnector(t *testing.T) {
	root := t.TempDir()
	programs := filepath.Join(root, "bin")
	for path, content := range map[string]string{
		filepath.Join(programs, "node"): "#!/bin/sh\necho v20.1.2\n",
		filepath.Join(root, "interop", "node_modules", "ilp-connector", "package.json"): `{"version":"23.0.2"}`,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, path, root, want string
		err                    error
	}{
		{name: "both", path: programs, root: root, want: "ilp-connector 23.0.2 on Node.js v20.1.2"},
		{name: "no Node.js", path: t.TempDir(), root: root, err: errNoRelay},
		{name: "no packages", path: programs, root: t.TempDir(), err: errNoRelay},
	} {
		t.Setenv("PATH", test.path)
		if got, err := describeConnector(t.Context(), test.root); got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
		// A whole run goes on without this part, and says so; -only node fails.
		if test.err == nil {
			continue
		}
		r := new(report)
		say := func(string, ...any) {}
		if err := measureThrough(t.Context(), options{}, test.root, "", say, r); err != nil || !strings.Contains(r.markdown(), "Not measured: "+errNoRelay.Error()) {
			t.Errorf("%s: %v\n%s", test.name, err, r.markdown())
		}
		if err := measureThrough(t.Context(), options{only: "node"}, test.root, "", say, new(report)); !errors.Is(err, errNoRelay) {
			t.Errorf("%s: -only node ends with %v", test.name, err)
		}
	}
}

func TestThroughTable(t *testing.T) {
	times := []time.Duration{time.Millisecond, 3 * time.Millisecond}
	through := through{peer: "ilp-connector 1 on Node.js 2", count: 12, balances: []string{"ilp-connector", "Paydoor"}, lines: []line{{
		setting: "BTP → BTP", conns: 64, sides: []*side{
			{gateway: &gateway{name: "ilp-connector"}, requests: requests{rates: []float64{100, 300}, cpu: []float64{200, 400}, times: times}},
			{gateway: &gateway{name: "Paydoor"}, requests: requests{rates: []float64{1000, 3000}, cpu: []float64{10, 10}, times: times}},
		},
	}}}
	var b strings.Builder
	through.write(&b)
	want := `
### Through the node

Beside ilp-connector 1 on Node.js 2. All 12 packets were fulfilled, and as many came out on the far side; balances compared with them: ilp-connector, Paydoor.

| | connector | packets/s | p50 ms | p99 ms | CPU µs/packet | less CPU by a factor of |
|---|---|---|---|---|---|---|
| BTP → BTP, 64 under way | ilp-connector | 200 (100..300) | 1.00 | 3.00 | 300.0 (200.0..400.0) |  |
| BTP → BTP, 64 under way | Paydoor | 2000 (1000..3000) | 1.00 | 3.00 | 10.0 (10.0..10.0) | **30.0** (20.0..40.0) |
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	new(report).through.write(&b)
	if b.Len() > 0 {
		t.Errorf("a part that was not asked for writes %q", b.String())
	}
}

// The node's accounts are those that relay.js describes.
func TestRelayCaddyfile(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:1")
	text := relayCaddyfile(relayPlan{name: "Paydoor", secret: "s", admin: at, entry: at, far: at, btp: at})
	script, err := os.ReadFile(filepath.Join("..", "interop", "peers", "relay.js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{httpIn, httpOut, btpIn, btpOut} {
		if !strings.Contains(text, "account "+account+" {\n\t\t\trelation peer\n") || !strings.Contains(string(script), "'"+account+"': peer(") {
			t.Errorf("%s is missing in\n%s", account, text)
		}
	}
	for _, prefix := range []string{"http", "btp"} {
		if !strings.Contains(text, fmt.Sprintf("route test.%[1]s %[1]s-out", prefix)) || !strings.Contains(string(script), fmt.Sprintf("targetPrefix: 'test.%[1]s', peerId: '%[1]s-out'", prefix)) {
			t.Errorf("the route of test.%s is missing", prefix)
		}
	}
	if !strings.Contains(text, "btp+ws://Paydoor.btp-in:s@127.0.0.1:1") {
		t.Error(text)
	}
}
