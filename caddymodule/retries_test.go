package caddymodule

// This file has Caddy's proxy try a request again at other backends: that is one request, and one charge.

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func TestP5OneChargeOverProxyRetries(t *testing.T) {
	for name, c := range map[string]struct {
		retries string
		works   bool // there is a backend that answers
		tries   int64
		status  int
		balance string
	}{
		"by number, one answers": {"lb_retries 5", true, 1, http.StatusOK, "90"},
		"by time, one answers":   {"lb_try_duration 5s\nlb_try_interval 10ms", true, 1, http.StatusOK, "90"},
		"by number, none":        {"lb_retries 3", false, 4, http.StatusBadGateway, "100"},
		"by time, none":          {"lb_try_duration 300ms\nlb_try_interval 50ms", false, 2, http.StatusBadGateway, "100"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			var broken, served atomic.Int64
			resetting := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				broken.Add(1)
				panic(http.ErrAbortHandler)
			}))
			t.Cleanup(resetting.Close)
			s.handler = func(w http.ResponseWriter, r *http.Request) {
				served.Add(1)
				_, _ = w.Write([]byte(r.Header.Get("Paydoor-Charge-Id")))
			}
			backends := resetting.Listener.Addr().String() + " " + resetting.Listener.Addr().String()
			if c.works {
				backends += " " + s.backend.Listener.Addr().String()
			}
			s.site = "paywall 10\nreverse_proxy " + backends + " {\nlb_policy round_robin\n" + c.retries + "\nlb_retry_match {\nmethod GET\n}\n}"
			s.load()
			s.pay("100")
			a := s.do(http.MethodGet, "/")
			s.want(a, c.status, c.balance)
			s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, c.balance)
			if broken.Load() < c.tries || c.works != (served.Load() == 1) {
				t.Errorf("%d tries broke, %d were served", broken.Load(), served.Load())
			}
			charges := uint64(0)
			if c.works {
				charges = 1
			}
			if totals := s.audit().Totals; totals.ChargeCount != charges || totals.Charges.Lo != 10*charges {
				t.Errorf("%d charges of %v", totals.ChargeCount, totals.Charges)
			}
		})
	}
}
