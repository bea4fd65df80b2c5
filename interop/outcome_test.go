package interop

// This file breaks the backend in every way: an answer that never came costs nothing, and says so.

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
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

// TestUnpaidUploadIsNotAskedFor has a client wait for a 100 before it sends what it has not paid for.
func TestUnpaidUploadIsNotAskedFor(t *testing.T) {
	needTime(t)
	backend, neighbour := newBackend(t), newLink(t, "neighbour")
	g := newGateway(t, gatewayConfig{address: "test.gateway", accounts: []string{neighbour.account()}, sites: []string{paidSite(10, backend)}, secure: true})
	for _, over := range g.transports(t) {
		for paid, status := range map[bool]int{false: http.StatusPaymentRequired, true: http.StatusOK} {
			t.Run(fmt.Sprintf("%s, %d", over.name, status), func(t *testing.T) {
				token := newToken()
				if paid {
					neighbour.credit(t, g, token, 10)
				}
				var asked atomic.Bool
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { asked.Store(true) }})
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, over.url(0)+"echo", strings.NewReader("upload"))
				if err != nil {
					t.Fatal(err)
				}
				request.Header = http.Header{"Pay-Token": {token}, "Expect": {"100-continue"}}
				response, err := over.open(t).Do(request)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || response.StatusCode != status || paid && string(body) != "POST upload" {
					t.Errorf("status %d, want %d: %.80q (%v)", response.StatusCode, status, body, err)
				}
				if asked.Load() != paid {
					t.Errorf("paid %v, and the client was asked for its body: %v", paid, asked.Load())
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
