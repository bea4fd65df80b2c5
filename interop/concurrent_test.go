package interop

// This file spends one balance from many requests at once: a token is worth exactly what was paid for it.

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/paydoor/paydoor/amount"
)

func TestConcurrentRequestsCannotOverspend(t *testing.T) {
	needTime(t)
	const requests, affordable, price = 200, 10, 10
	rounds := setting(t, "PAYDOOR_INTEROP_ROUNDS", 20)
	backend, neighbour := newBackend(t), newLink(t, "neighbour")
	g := newGateway(t, gatewayConfig{
		address:  "test.gateway",
		accounts: []string{neighbour.account()},
		sites:    []string{paidSite(price, backend)},
		secure:   true,
	})
	for i, over := range g.transports(t) {
		t.Run(over.name, func(t *testing.T) {
			client := over.open(t)
			for round := range rounds {
				token, path := newToken(), fmt.Sprintf("echo/%d/%d", i, round)
				neighbour.credit(t, g, token, affordable*price)
				statuses := burst(t, client, over.url(0)+path, token, requests)
				if statuses[http.StatusOK] != affordable || statuses[http.StatusPaymentRequired] != requests-affordable {
					t.Fatalf("round %d: answers by status: %v, want %d times 200 and %d times 402", round, statuses, affordable, requests-affordable)
				}
				if n := backend.hitCount("/" + path); n != affordable {
					t.Fatalf("round %d: the backend was reached %d times, want %d", round, n, affordable)
				}
				wantBalance(t, g.url(0), token, 0)
			}
		})
	}
}

// burst sends n requests at the same moment and counts the answers by status; a Pay-Balance that no history explains fails.
func burst(t *testing.T, client *http.Client, url, token string, n int) map[int]int {
	t.Helper()
	start, answers, failures := make(chan struct{}), make([]answer, n), make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			<-start
			answers[i], failures[i] = send(client, http.MethodGet, url, token, nil)
		})
	}
	close(start)
	wait.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	statuses := make(map[int]int)
	for _, a := range answers {
		statuses[a.status]++
		balance, err := amount.Parse(a.balance)
		if err != nil || balance%10 != 0 || balance > 90 {
			t.Errorf("status %d came with Pay-Balance %q, want a multiple of 10 up to 90", a.status, a.balance)
		}
	}
	return statuses
}
