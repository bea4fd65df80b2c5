package payer

import (
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/paywall"
)

// TestTransportMany sends requests from many goroutines: as many are paid as the cap allows, and the money adds up.
func TestTransportMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, paywall.Rule{Price: 10}, paywall.Rule{Path: "/dear", Price: 25})
		link := &network{to: s.receiver, conditions: conditions{delay: 50 * time.Millisecond, max: 20, seed: 3}}
		caps := &Caps{PerDay: 3000, Now: time.Now}
		c, _ := client(s, link, caps)
		var wait sync.WaitGroup
		var mu sync.Mutex
		var bought amount.Amount
		refused := 0
		for i := range 200 {
			wait.Go(func() {
				time.Sleep(time.Duration(mathrand.IntN(3000)) * time.Millisecond)
				path, price := "/", amount.Amount(10)
				if i%3 == 0 {
					path, price = "/dear", 25
				}
				response, err := c.Get("https://shop.example" + path)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.Is(err, ErrCap):
					refused++
				case err != nil:
					t.Error(err)
				default:
					response.Body.Close()
					if response.StatusCode != 200 {
						t.Errorf("status %d", response.StatusCode)
					} else {
						bought += price
					}
				}
			})
		}
		wait.Wait()
		if link.paid != s.credited || s.credited != bought+s.left() || link.paid > 3000 || bought < 2900 {
			t.Errorf("%s paid, %s credited, %s bought, %s left", link.paid, s.credited, bought, s.left())
		}
		t.Logf("%s paid, %d requests refused, %s left", link.paid, refused, s.left())
	})
}

func TestTransportRefuses(t *testing.T) {
	s := newSite(t, paywall.Rule{Price: 10})
	c, transport := client(s, s.receiver, &Caps{Now: time.Now})
	if _, err := c.Get("http://shop.example/"); !errors.Is(err, ErrPlainHTTP) || s.requests != 0 {
		t.Errorf("plain http: %v, %d requests", err, s.requests)
	}
	response, err := c.Get("http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if transport.Token("SHOP.example") != transport.Token("shop.example") || transport.Token("shop.example") == transport.Token("other.example") || len(transport.Token("x")) != 43 {
		t.Error("tokens are not one for each host name")
	}
	transport.Secret = transport.Secret[:31]
	if _, err := c.Get("https://shop.example/"); !errors.Is(err, ErrTransport) {
		t.Errorf("a short secret: %v", err)
	}
}

// TestTransportOverSockets uses a real server and Go's own transport below.
func TestTransportOverSockets(t *testing.T) {
	s := newSite(t, paywall.Rule{Price: 10})
	var tokens []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Method+" "+r.Header.Get("Pay-Token"))
		err := s.wall.ServeHTTP(w, r, func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.Copy(w, r.Body)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	c, transport := client(s, s.receiver, &Caps{Now: time.Now})
	transport.Base = base
	for _, body := range []io.Reader{strings.NewReader("twice"), io.MultiReader(strings.NewReader("once"))} {
		response, err := c.Post(server.URL, "text/plain", body)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != 200 || len(content) < 4 || response.Request.Header.Get("Pay-Token") != "" {
			t.Errorf("status %d, %q, %v", response.StatusCode, content, err)
		}
	}
	token := transport.Token("127.0.0.1")
	if want := "POST " + token + " POST " + token + " OPTIONS " + token + " POST " + token; strings.Join(tokens, " ") != want {
		t.Errorf("the server saw %q", tokens)
	}
}
