package caddymodule

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestPlayMoneyPaysSitesOnly: a neighbour or an account's holder would take it for money.
func TestPlayMoneyPaysSitesOnly(t *testing.T) {
	s := newServer(t)
	s.options += "\naccount kid {\n relation child\n ping\n}\naccount bob {\n relation peer\n ping\n}\nroute test.bob bob"
	s.load()
	s.pay("100")
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "100")
	secret := strings.Repeat("A", 43)
	for _, address := range []string{"test.paydoor.kid", "test.paydoor.kid.x", "test.bob", "test.bob.x", "test.paydoor.sandbox.x"} {
		form := url.Values{"pay": {"interledger-psk2 " + address + " " + secret + " 10"}}
		request, err := http.NewRequest(http.MethodPost, "http://"+s.node+"/sandbox/pay", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if a := s.send(request); a.StatusCode != http.StatusBadGateway || !strings.Contains(a.body, "play money is worth nothing to others") {
			t.Errorf("%s: %s %s", address, a.Status, a.body)
		}
	}
}
