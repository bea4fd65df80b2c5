package cli

// This file pings through a node that forwards as the test says.

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/ilpcore"
)

// forwarder answers packets of alice.
type forwarder struct {
	*httptest.Server
	t       *testing.T
	mu      sync.Mutex
	replies []ilpcore.Reply // one after the other; the last again and again
	amounts []string
}

func newForwarder(t *testing.T, replies ...ilpcore.Reply) *forwarder {
	f := &forwarder{t: t, replies: replies}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path != "/accounts/alice/ilp" || r.Header.Get("Authorization") != "Bearer "+accountSecret || r.Header.Get("Content-Type") != octets || r.ContentLength <= 0 {
		f.t.Errorf("%s %s with %v", r.Method, r.URL.Path, r.Header)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Error(err)
	}
	packet, err := ilpcore.DecodePrepare(body)
	if err != nil || string(packet.Destination) != "test.bob" || packet.Condition != ilpcore.PingCondition || len(packet.Data) != 0 || time.Until(packet.ExpiresAt) > 7*time.Second {
		f.t.Errorf("the packet is %+v (%v)", packet, err)
	}
	f.amounts = append(f.amounts, packet.Amount.String())
	reply := f.replies[0]
	if len(f.replies) > 1 {
		f.replies = f.replies[1:]
	}
	b, err := reply.Append(nil)
	if err != nil {
		f.t.Error(err)
	}
	w.Header().Set("Content-Type", octets)
	_, _ = w.Write(b)
}

var (
	fulfilled = ilpcore.Fulfill(ilpcore.PingFulfillment, nil)
	unknown   = ilpcore.Reject(ilpcore.F02, "test.alice", "no route to test.bob", nil)
	durations = regexp.MustCompile(`\d+(\.\d+)?(µs|ms|s)\b|"round_trip_us":\d+`)
)

func TestPing(t *testing.T) {
	tests := []struct {
		name    string
		replies []ilpcore.Reply
		args    string
		out     string // D for every duration
		err     string
		status  int
		amounts []string
	}{
		{"fulfilled", []ilpcore.Reply{fulfilled}, "--amount 7", "1  fulfilled by test.bob in D\n1 sent, 1 fulfilled; round trip D least, D mean, D most\n", "", 0, []string{"7"}},
		{"several", []ilpcore.Reply{fulfilled}, "--count 3 --interval 1ms", "1  fulfilled by test.bob in D\n2  fulfilled by test.bob in D\n3  fulfilled by test.bob in D\n" +
			"3 sent, 3 fulfilled; round trip D least, D mean, D most\n", "", 0, []string{"0", "0", "0"}},
		{"rejected", []ilpcore.Reply{unknown}, "", "1  rejected in D: F02 Unreachable by test.alice: no route to test.bob\n   " + rejected["F02"] + "\n1 sent, 0 fulfilled\n",
			"1 of 1 pings were not fulfilled", 1, []string{"0"}},
		{"rejected twice", []ilpcore.Reply{unknown}, "--count 2 --interval 0s", "1  rejected in D: F02 Unreachable by test.alice: no route to test.bob\n   " + rejected["F02"] +
			"\n2  rejected in D: F02 Unreachable by test.alice: no route to test.bob\n2 sent, 0 fulfilled\n", "2 of 2 pings were not fulfilled", 1, []string{"0", "0"}},
		{"some", []ilpcore.Reply{fulfilled, ilpcore.Reject(ilpcore.Code{'T', '9', '9'}, "", "", nil)}, "--count 2 --interval 0s",
			"1  fulfilled by test.bob in D\n2  rejected in D: T99 Application Error\n2 sent, 1 fulfilled; round trip D least, D mean, D most\n", "1 of 2 pings were not fulfilled", 1, []string{"0", "0"}},
		{"a message for the terminal", []ilpcore.Reply{ilpcore.Reject(ilpcore.F99, "test.x", "\x1b[2Jgone", nil)}, "",
			"1  rejected in D: F99 Application Error by test.x: ?[2Jgone\n1 sent, 0 fulfilled\n", "1 of 1 pings were not fulfilled", 1, []string{"0"}},
		{"a wrong fulfillment", []ilpcore.Reply{ilpcore.Fulfill([32]byte{1}, nil)}, "", "1  not fulfilled, in D: the answer's fulfillment does not fit the condition\n1 sent, 0 fulfilled\n",
			"1 of 1 pings were not fulfilled", 1, []string{"0"}},
		{"JSON", []ilpcore.Reply{fulfilled, unknown}, "--count 2 --interval 0s --json", `{"sequence":1,"fulfilled":true,D}` + "\n" +
			`{"sequence":2,"fulfilled":false,D,"code":"F02","name":"Unreachable","triggered_by":"test.alice","message":"no route to test.bob"}` + "\n", "1 of 2 pings were not fulfilled", 1, []string{"0", "0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newForwarder(t, test.replies...)
			m := terminal{variables: map[string]string{nodeVariable: f.URL, accountVariable: accountSecret}}
			got := m.types(t, append([]string{"ping", "test.bob", "--as", "alice", "--timeout", "5s"}, strings.Fields(test.args)...)...)
			if diff := cmp.Diff(test.out, durations.ReplaceAllString(got.out, "D")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.err != test.err || got.status != test.status {
				t.Errorf("status %d, said %q; want %d and %q", got.status, got.err, test.status, test.err)
			}
			if diff := cmp.Diff(test.amounts, f.amounts); diff != "" {
				t.Errorf("amounts -want +got:\n%s", diff)
			}
		})
	}
}

func TestEveryHintIsForACodeThatExists(t *testing.T) {
	for code := range rejected {
		if c, err := ilpcore.ParseCode(code); err != nil || c.Name() == "" {
			t.Errorf("%s: %v", code, err)
		}
	}
}
