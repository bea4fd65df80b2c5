package nodeapi

// This file is about how long the WebSockets that tell of payments live.

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestAConnectionDiesWithItsToken: who has a token that is replaced learns of no more payments. Other changes end nothing.
func TestAConnectionDiesWithItsToken(t *testing.T) {
	b := rustBed(t, nil)
	server := httptest.NewServer(b)
	defer server.Close()
	defer b.API.Close() // before the server
	const path = "/accounts/alice/payments/incoming"
	for i, change := range []string{
		`{"ilp_over_http_incoming_token":"` + bobKey + `2"}`, `{"ilp_over_http_incoming_token":""}`,
	} {
		c := listen(t, server, path, asAdmin)
		bobs := listen(t, server, "/accounts/bob/payments/incoming", asAdmin)
		for _, other := range []string{`{"settle_to":7}`, `{"ilp_over_http_incoming_token":"SECRET"}`} {
			b.ask(t, "PUT", "/accounts/alice/settings", asAdmin, other)
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
	}
}
