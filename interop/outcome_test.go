package interop

// This file breaks the backend in every way: an answer that never came costs nothing, and says so.

import (
	"fmt"
	"net/http"
	"testing"
)

func TestNoAnswerNoCharge(t *testing.T) {
	needTime(t)
	backend, neighbour := newBackend(t), newLink(t, "neighbour")
	g := newGateway(t, gatewayConfig{
		address:  "test.gateway",
		accounts: []string{neighbour.account()},
		sites: []string{
			impatientSite(backend.address, ""),
			impatientSite(backend.address, "refund_on 5xx"),
			impatientSite(fmt.Sprintf("127.0.0.1:%d", freePort(t)), ""),
		},
		secure: true,
	})
	overs := g.transports(t)
	for _, c := range []struct {
		name   string
		site   int
		path   string
		status int
		left   string // of a balance of 100
	}{
		{"an answer is charged", 0, "echo", http.StatusOK, "90"},
		{"refused", 2, "echo", http.StatusBadGateway, "100"},
		{"timed out", 0, "hang", http.StatusGatewayTimeout, "100"},
		{"reset", 0, "reset", http.StatusBadGateway, "100"},
		{"panicked", 0, "panic", http.StatusBadGateway, "100"},
		{"a 500 is an answer", 0, "500", http.StatusInternalServerError, "90"},
		{"a 500 with refund_on 5xx", 1, "500", http.StatusInternalServerError, "100"},
		{"a 200 with refund_on 5xx", 1, "echo", http.StatusOK, "90"},
	} {
		for _, over := range overs {
			t.Run(c.name+", "+over.name, func(t *testing.T) {
				token := newToken()
				neighbour.credit(t, g, token, 100)
				a, err := send(over.open(t), http.MethodGet, over.url(c.site)+c.path, token, nil)
				if err != nil {
					t.Fatal(err)
				}
				wantAnswer(t, a, c.status, c.left)
				if left := ask(t, g.url(0), token).balance; left.String() != c.left {
					t.Errorf("afterwards the balance is %v, want %s", left, c.left)
				}
			})
		}
	}
}

// impatientSite costs 10 and waits half a second for the backend's header.
func impatientSite(backend, option string) string {
	return fmt.Sprintf(`	paywall {
		price 10
		%s
	}
	reverse_proxy %s {
		transport http {
			response_header_timeout 500ms
		}
	}`, option, backend)
}
