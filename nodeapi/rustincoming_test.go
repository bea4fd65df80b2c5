package nodeapi

// This file is about how long the WebSockets that tell of payments live.

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
)

// TestAConnectionDiesWithItsToken: who has a token that is replaced learns of no more payments. Other changes end nothing.
func TestAConnectionDiesWithItsToken(t *testing.T) {
	b := rustBed(t, nil)
	server := httptest.NewServer(b)
	defer server.Close()
	defer b.API.Close() // before the server
	const path = "/accounts/alice/payments/incoming"
	token := aliceKey
	for i, change := range []string{
		`{"ilp_over_http_incoming_token":"` + bobKey + `2"}`, `{"ilp_over_http_incoming_token":""}`,
	} {
		c := listen(t, server, path, asAdmin)
		bobs := listen(t, server, "/accounts/bob/payments/incoming", asAdmin)
		for _, other := range []string{`{"settle_to":7}`, `{"ilp_over_http_incoming_token":"SECRET"}`, `{"ilp_over_http_incoming_token":"` + token + `"}`} {
			if w := b.ask(t, "PUT", "/accounts/alice/settings", asAdmin, other); w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		b.Notify(Payment{To: "alice", Amount: 5})
		if got := next(t, c); !strings.Contains(got, `"amount":5`) {
			t.Errorf("%d: %s", i, got)
		}
		if w := b.ask(t, "PUT", "/accounts/alice/settings", asAdmin, change); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		b.Notify(Payment{To: "alice", Amount: 6})
		if _, message, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("after %s: %s, %v", change, message, err)
		}
		b.Notify(Payment{To: "bob", Amount: 7})
		if got := next(t, bobs); !strings.Contains(got, `"amount":7`) {
			t.Errorf("%d, bob: %s", i, got)
		}
		_ = bobs.CloseNow()
		token = bobKey + "2"
	}
}

// onceAuthenticator knows a token only when it is first asked, as if it was replaced then.
type onceAuthenticator struct{ asked atomic.Int32 }

func (o *onceAuthenticator) Authenticate(account, _ string) (ilpcore.AccountID, bool) {
	return ilpcore.AccountID(account), o.asked.Add(1) == 1
}

// TestNoConnectionWithATokenThatWasJustReplaced: what ends connections may have come before this one was among them.
func TestNoConnectionWithATokenThatWasJustReplaced(t *testing.T) {
	b := rustBed(t, func(c *Config) { c.Accounts = new(onceAuthenticator) })
	upgrade := map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
	if w := b.askWith(t, "GET", "/accounts/alice/payments/incoming", "Bearer "+aliceKey, "", upgrade); w.Code != http.StatusUnauthorized {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestAPingThatIsNotAnswered delays no payment: the answer may be on its way, and the payments after it have room for 256.
func TestAPingThatIsNotAnswered(t *testing.T) {
	b := rustBed(t, nil)
	b.API.pingEvery = 10 * time.Millisecond
	server := httptest.NewServer(b)
	defer server.Close()
	defer b.API.Close() // before the server
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(incomingWait / 2)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /accounts/alice/payments/incoming HTTP/1.1\r\nHost: node\r\nAuthorization: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", asAdmin)
	in := bufio.NewReader(c)
	if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%+v, %v", answer, err)
	}
	frame := func() (kind byte) {
		t.Helper()
		var head [2]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			t.Fatal(err)
		}
		size := int(head[1])
		if size == 126 {
			var long [2]byte
			if _, err := io.ReadFull(in, long[:]); err != nil {
				t.Fatal(err)
			}
			size = int(long[0])<<8 | int(long[1])
		}
		if _, err := in.Discard(size); err != nil {
			t.Fatal(err)
		}
		return head[0] & 15
	}
	const text, ping = 1, 9
	if got := frame(); got != ping {
		t.Fatalf("the first frame is a %d", got)
	}
	b.Notify(Payment{To: "alice", Amount: 5})
	for frame() != text {
		continue
	}
}
