package caddymodule

// This file pays for requests through whole servers.

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestSeedExample is the exchange of seed 003, with our own wallet.
func TestSeedExample(t *testing.T) {
	s := newServer(t)
	s.load()
	quote := s.do(http.MethodOptions, "/")
	s.want(quote, http.StatusNoContent, "0")
	if pay := strings.Fields(quote.Header.Get("Pay")); len(pay) != 4 || pay[0] != "interledger-psk2" ||
		!strings.HasPrefix(pay[1], "test.paydoor.") || len(pay[2]) != 43 || pay[3] != "10" {
		t.Errorf("Pay is %q", pay)
	}
	s.want(s.do(http.MethodGet, "/"), http.StatusPaymentRequired, "0")
	s.pay("100")
	first := s.do(http.MethodGet, "/")
	s.want(first, http.StatusOK, "90")
	if first.body != "paid 10, left 90" {
		t.Errorf("the backend saw %q", first.body)
	}
	for _, balance := range []string{"80", "70", "60", "50", "40", "30", "20", "10", "0"} {
		s.want(s.do(http.MethodGet, "/"), http.StatusOK, balance)
	}
	last := s.do(http.MethodGet, "/")
	s.want(last, http.StatusPaymentRequired, "0")
	if last.Header.Get("Pay") == "" {
		t.Error("the 402 has no Pay")
	}
}

func TestBackendThatIsGoneCostsNothing(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("100")
	s.handler = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	s.want(s.do(http.MethodGet, "/"), http.StatusBadGateway, "100")
	s.backend.Close()
	s.want(s.do(http.MethodGet, "/"), http.StatusBadGateway, "100")
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "100")
}

// TestErrorPagesAreNotCharged has a paywall in the error routes, where the token is gone already.
func TestErrorPagesAreNotCharged(t *testing.T) {
	s := newServer(t)
	s.site += "\nhandle_errors {\n\tpaywall 5\n\trespond \"sorry: {http.error.status_code}\" {http.error.status_code}\n}"
	s.load()
	s.pay("100")
	s.backend.Close()
	a := s.do(http.MethodGet, "/")
	s.want(a, http.StatusBadGateway, "100")
	if a.body != "sorry: 502" {
		t.Errorf("the error page says %q", a.body)
	}
}

func TestPlaceholders(t *testing.T) {
	s := newServer(t)
	s.site = `
	paywall 10
	header >X-Seen "{http.paywall.price} {http.paywall.balance} {http.paywall.paid}"
	respond "{http.paywall.price} {http.paywall.balance} {http.paywall.paid} {http.paywall.account} {http.paywall.charge_id}"`
	s.load()
	s.pay("100")
	a := s.do(http.MethodGet, "/")
	s.want(a, http.StatusOK, "90")
	if seen := a.Header.Get("X-Seen"); seen != "10 90 true" {
		t.Errorf("the header says %q", seen)
	}
	words := strings.Fields(a.body)
	if len(words) != 5 || words[0] != "10" || words[1] != "90" || words[2] != "true" || len(words[3]) != 64 || words[4] == "" {
		t.Errorf("the placeholders are %q", a.body)
	}
	if strings.Contains(a.body, token) {
		t.Error("a placeholder holds the token")
	}
}

func TestPricesByPathAndMethod(t *testing.T) {
	s := newServer(t)
	s.site = `
	paywall {
		price 10
		price POST /upload 2 per_byte
		free /health
	}
	respond ok`
	s.load()
	s.pay("100")
	free := s.do(http.MethodGet, "/health")
	if free.StatusCode != http.StatusOK || free.Header.Get("Pay-Balance") != "" {
		t.Errorf("the free path answers %s with balance %q", free.Status, free.Header.Get("Pay-Balance"))
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+s.gateway+"/upload", strings.NewReader("12345"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Pay-Token", token)
	s.want(s.send(request), http.StatusOK, "90")
	s.want(s.do(http.MethodGet, "/elsewhere"), http.StatusOK, "80")
}

func TestNodePassesOthersOn(t *testing.T) {
	s := newServer(t)
	s.load()
	get := func(method, path string) answer {
		request, err := http.NewRequest(method, "http://"+s.node+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.send(request)
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/", http.StatusOK},
		{http.MethodGet, "/elsewhere", http.StatusNotFound},
		{http.MethodGet, "/status", http.StatusUnauthorized},
		{http.MethodGet, "/ilp", http.StatusMethodNotAllowed},
		{http.MethodPost, "/ilp", http.StatusUnauthorized},
		{http.MethodPost, "/accounts/sandbox/ilp", http.StatusUnauthorized},
		{http.MethodPost, "/accounts/a/b/ilp", http.StatusNotFound},
		{http.MethodGet, "/sandbox/pay", http.StatusMethodNotAllowed},
		{http.MethodPost, "/sandbox/pay", http.StatusBadRequest},
	} {
		if got := get(c.method, c.path); got.StatusCode != c.status {
			t.Errorf("%s %s answers %s, not %d", c.method, c.path, got.Status, c.status)
		}
	}
}

func TestReady(t *testing.T) {
	s := newServer(t)
	s.load()
	request, err := http.NewRequest(http.MethodGet, "http://"+s.admin+"/paydoor/ready", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := s.send(request)
	var got readiness
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	if a.StatusCode != http.StatusOK || !got.Ready || got.Address != "test.paydoor" || got.Asset == nil || *got.Asset != (Asset{"USD", 9}) {
		t.Errorf("ready answers %s %s", a.Status, a.body)
	}
}

// TestWaitingForTheParent has a parent that is not there: quotes are a 503, and so is readiness.
func TestWaitingForTheParent(t *testing.T) {
	s := newServer(t)
	s.options = strings.Replace(s.options, "sandbox", "allow_weak_secrets\naccount uplink {\n relation parent\n btp btp+ws://:shh@"+freePort(t)+"\n}", 1)
	s.load()
	quote := s.do(http.MethodOptions, "/")
	if quote.StatusCode != http.StatusServiceUnavailable || quote.Header.Get("Retry-After") == "" || quote.Header.Get("Pay") != "" {
		t.Errorf("a quote without address is %s %v", quote.Status, quote.Header)
	}
	request, err := http.NewRequest(http.MethodGet, "http://"+s.admin+"/paydoor/ready", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.send(request); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "uplink") {
		t.Errorf("ready answers %s %s", a.Status, a.body)
	}
}

// TestConfigShowsNoSecret asks the admin endpoint for a config whose secrets come from the environment.
func TestConfigShowsNoSecret(t *testing.T) {
	t.Setenv("PAYDOOR_TEST_SECRET", strong)
	s := newServer(t)
	s.options += "\nsecret {env.PAYDOOR_TEST_SECRET}\naccount kid {\n relation child\n http {\n incoming simple {env.PAYDOOR_TEST_SECRET}\n }\n}"
	s.load()
	request, err := http.NewRequest(http.MethodGet, "http://"+s.admin+"/config/", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := s.send(request)
	if !strings.Contains(a.body, "{env.PAYDOOR_TEST_SECRET}") || strings.Contains(a.body, strong) {
		t.Errorf("the config is shown as %s", a.body)
	}
}
