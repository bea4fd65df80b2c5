package interop

// This file asks a gateway's node what an operator would: balances, routes, accounts.

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// operate makes one request to the API as its admin does in the dialect of the Java connector, and returns the body of the answer.
func (g *gateway) operate(method, path, body string, status int) []byte {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, g.nodeURL()+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	request.SetBasicAuth("admin", g.adminToken)
	request.Header.Set("Accept", "application/json")
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	if response.StatusCode != status {
		g.t.Fatalf("%s %s: status %d, want %d: %s", method, path, response.StatusCode, status, answer)
	}
	return answer
}

// owed is the balance of an account: what the node owes it.
func (g *gateway) owed(account string) (units int) {
	g.t.Helper()
	var answer struct {
		AccountBalance struct {
			NetBalance int `json:",string"`
		}
	}
	if err := json.Unmarshal(g.operate("GET", "/accounts/"+account+"/balance", "", 200), &answer); err != nil {
		g.t.Fatal(err)
	}
	return answer.AccountBalance.NetBalance
}

// wantOwed wants these balances.
func (g *gateway) wantOwed(want map[string]int) {
	g.t.Helper()
	for account, units := range want {
		if got := g.owed(account); got != units {
			g.t.Errorf("the balance of %s is %d, want %d", account, got, units)
		}
	}
}

// waitRoute waits until the node sends what is for prefix to the account.
func (g *gateway) waitRoute(prefix, account string) {
	g.t.Helper()
	eventually(g.t, fmt.Sprintf("the gateway's route for %s leads to %s", prefix, account), func() bool {
		var answer struct {
			Embedded struct {
				ImmutableRouteList []struct{ RoutePrefix, NextHopAccountID string }
			} `json:"_embedded"`
		}
		if body := g.operate("GET", "/routes", "", 200); json.Unmarshal(body, &answer) != nil {
			g.t.Fatalf("GET /routes: %s", body)
		}
		for _, route := range answer.Embedded.ImmutableRouteList {
			if route.RoutePrefix == prefix && route.NextHopAccountID == account {
				return true
			}
		}
		return false
	})
}

// eventually polls until what holds, at most for 20 seconds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
