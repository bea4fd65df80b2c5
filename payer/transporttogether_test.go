package payer

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/paywall"
)

// TestTogether makes two requests with one context and with two, to one host and to two.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, paywall.Rule{Price: 10})
		c, _ := client(s, s.receiver, &Caps{PerRequest: 15, Now: time.Now})
		get := func(ctx context.Context, host string) error {
			r, err := http.NewRequestWithContext(ctx, "GET", "https://"+host+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := c.Do(r)
			if err == nil {
				discard(response)
			}
			return err
		}
		one := Together(t.Context())
		for i, step := range []struct {
			ctx  context.Context
			host string
			cap  bool
		}{
			{one, "shop.example", false}, {one, "shop.example", true}, {one, "other.example", false}, {one, "other.example", true},
			{Together(t.Context()), "shop.example", false}, {t.Context(), "shop.example", false}, {t.Context(), "shop.example", false},
		} {
			if err := get(step.ctx, step.host); errors.Is(err, ErrCap) != step.cap || !step.cap && err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		}
		if s.credited != 50 {
			t.Errorf("%s were paid", s.credited)
		}
	})
}
