package payer

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/paydoor/paydoor/paywall"
)

// endless is an answer whose body, of a refusal, does not end by itself.
type endless struct {
	http.ResponseWriter
	refused bool
}

func (e *endless) WriteHeader(status int) {
	if e.refused = status == http.StatusPaymentRequired; e.refused {
		e.Header().Del("Content-Length")
	}
	e.ResponseWriter.WriteHeader(status)
}

// TestRefusalWithoutEnd pays for a request whose refusal goes on for ever.
func TestRefusalWithoutEnd(t *testing.T) {
	for _, version := range []int{1, 2} {
		s := newSite(t, paywall.Rule{Price: 10})
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			e := &endless{ResponseWriter: w}
			err := s.wall.ServeHTTP(e, r, func(w http.ResponseWriter, _ *http.Request) error {
				w.WriteHeader(http.StatusOK)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if e.refused {
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
				<-r.Context().Done()
			}
		}))
		server.EnableHTTP2 = version == 2
		server.StartTLS()
		c, transport := client(s, s.receiver, &Caps{Now: time.Now})
		transport.Base = server.Client().Transport
		c.Timeout = 10 * time.Second
		response, err := c.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if discard(response); response.StatusCode != http.StatusOK || response.ProtoMajor != version || s.credited != 10 {
			t.Errorf("status %d by HTTP/%d, %s credited", response.StatusCode, response.ProtoMajor, s.credited)
		}
		transport.CloseIdleConnections()
		server.Close()
	}
}
