package payer

import (
	"io"
	"net/http"
	"strings"
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
