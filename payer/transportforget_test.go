package payer

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/paywall"
)

// forget makes a transport meet so many other hosts that it forgets the one of that name.
func forget(t *testing.T, transport *Transport, name string) {
	t.Helper()
	h := &transport.hosts
	for i := 0; h.byName[name] != nil; i++ {
		if i > 100*mostHosts {
			t.Fatalf("%s is not forgotten", name)
		}
		h.get(time.Duration(i).String())
	}
}

// TestForgottenHostsArePaid lets a transport forget a host that knows short tokens only, before a body that can be sent only once: it learns that
// again from the price, and pays once.
func TestForgottenHostsArePaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &older{site: newSite(t, paywall.Rule{Price: 10})}
		c, transport := client(o.site, o.receiver, &Caps{Now: time.Now})
		transport.Base, transport.Method = o, MethodPSK2
		for i, body := range []io.Reader{strings.NewReader("twice"), io.MultiReader(strings.NewReader("once"))} {
			if i > 0 {
				forget(t, transport, "shop.example")
			}
			response, err := c.Post("https://shop.example/", "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			if response.Body.Close(); response.StatusCode != 200 {
				t.Errorf("request %d: status %d", i, response.StatusCode)
			}
		}
		if diff := cmp.Diff([]int{43, 22, 22, 43, 22, 22}, o.tokens); diff != "" || o.credited != 20 || o.left() != 0 {
			t.Errorf("%s credited, %s left, tokens %s", o.credited, o.left(), diff)
		}
	})
}

// TestHostsWithRequestsAreNotForgotten: two memories of one host would not know of each other's payments, and one request would spend what the other
// has paid.
func TestHostsWithRequestsAreNotForgotten(t *testing.T) {
	var h hosts
	one, _ := h.arrive("one")
	for i := range 100 * mostHosts {
		h.get(time.Duration(i).String())
	}
	if again, v := h.arrive("one"); again != one || !one.shared(v) || len(h.byName) > mostHosts {
		t.Errorf("a host with a request under way is another now, of %d", len(h.byName))
	}
}

// TestForgottenHostsAreAskedOnce: also on a connection that was kept longer than what is known of the host, a GET goes out once.
func TestForgottenHostsAreAskedOnce(t *testing.T) {
	b := &breaker{}
	server := httptest.NewServer(b)
	defer server.Close()
	transport := &Transport{Link: &network{}, Random: rand.Reader, Now: time.Now, Budget: &Caps{Now: time.Now}, Secret: make([]byte, 32), Base: &http.Transport{}}
	defer transport.CloseIdleConnections()
	c := http.Client{Transport: transport}
	response, err := c.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	discard(response)
	forget(t, transport, "127.0.0.1")
	if _, err := c.Get(server.URL + "/break"); err == nil {
		t.Error("a broken connection is no error")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if diff := cmp.Diff([]string{"GET / ", "GET /break "}, b.seen); diff != "" {
		t.Error(diff)
	}
}
