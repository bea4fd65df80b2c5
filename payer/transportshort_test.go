package payer

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/paywall"
)

// older is a site whose Pay has the secret in base64 with padding.
type older struct {
	*site
	tokens []int // their lengths, in the order of the requests
}

func (o *older) RoundTrip(r *http.Request) (*http.Response, error) {
	o.tokens = append(o.tokens, len(r.Header.Get("Pay-Token")))
	response, err := o.site.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if fields := strings.Fields(response.Header.Get("Pay")); len(fields) == 4 {
		fields[2] = strings.NewReplacer("-", "+", "_", "/").Replace(fields[2]) + "="
		response.Header.Set("Pay", strings.Join(fields, " "))
	}
	return response, nil
}

func TestTransportCutsTokensForOlderServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &older{site: newSite(t, paywall.Rule{Price: 10})}
		c, transport := client(o.site, o.receiver, &Caps{Now: time.Now})
		transport.Base, transport.Method = o, MethodPSK2
		for range 2 {
			response, err := c.Post("https://shop.example/", "text/plain", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			if response.Body.Close(); response.StatusCode != 200 {
				t.Errorf("status %d", response.StatusCode)
			}
		}
		if diff := cmp.Diff([]int{43, 22, 22, 22, 22}, o.tokens); diff != "" || o.credited != 20 || o.left() != 0 {
			t.Errorf("%s credited, %s left, tokens %s", o.credited, o.left(), diff)
		}
	})
}

// TestRefusalsOfLongTokens leaves other refusals as they are, with their whole bodies.
func TestRefusalsOfLongTokens(t *testing.T) {
	for body, want := range map[string]bool{
		"`Pay-Token` must be 16 bytes of base64.":          true,
		"Pay-Token is not valid: send 22 to 86 characters": false,
		"": false,
		strings.Repeat("x", 1000) + "Pay-Token must be of 16 bytes": false,
	} {
		response := &http.Response{Body: io.NopCloser(strings.NewReader(body))}
		got := refusesLong(response)
		if whole, err := io.ReadAll(response.Body); got != want || string(whole) != body || err != nil {
			t.Errorf("%q: %v, and then %q, %v", body, got, whole, err)
		}
	}
}

// hesitant is a site whose answer to OPTIONS is a refusal that never says why.
type hesitant struct{ *site }

// silence is a body of which nothing comes.
type silence struct {
	closed chan struct{}
	once   sync.Once
}

func (s *silence) Read([]byte) (int, error) {
	<-s.closed
	return 0, io.ErrClosedPipe
}

func (s *silence) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (h hesitant) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := h.site.RoundTrip(r)
	if err == nil && r.Method == http.MethodOptions {
		response.StatusCode, response.Header, response.Body = 400, http.Header{}, &silence{closed: make(chan struct{})}
	}
	return response, err
}

// TestQuotesThatDoNotEnd are cut off, as other refusals are: others wait for the turn.
func TestQuotesThatDoNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, paywall.Rule{Price: 10})
		c, transport := client(s, s.receiver, &Caps{Now: time.Now})
		transport.Base = hesitant{s}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, "POST", "https://shop.example/", io.MultiReader(strings.NewReader("once")))
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		response, err := c.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if discard(response); response.StatusCode != 402 || time.Since(begun) > 3*time.Second {
			t.Errorf("status %d, after %s", response.StatusCode, time.Since(begun))
		}
	})
}
