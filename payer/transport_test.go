package payer

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/paywall"
	"github.com/paydoor/paydoor/receiver"
)

// site is a paid site: our paywall and our receiver over balances in memory.
type site struct {
	wall     *paywall.Paywall
	receiver *receiver.Receiver

	mu       sync.Mutex
	balances map[[32]byte]amount.Amount
	credited amount.Amount
	requests int
	bodies   []string
}

func newSite(t testing.TB, rules ...paywall.Rule) *site {
	t.Helper()
	s := &site{balances: map[[32]byte]amount.Amount{}}
	var err error
	s.receiver, err = receiver.New(receiver.Config{
		Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, Addresses: shop{}, Crediter: s, Random: rand.Reader, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.wall, err = paywall.New(paywall.Config{Ledger: s, Quoter: s, Prices: rules}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) Credit(_ context.Context, c receiver.Credit) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balances[c.Payee.ID] += c.Amount
	s.credited += c.Amount
	return false, nil
}

func (s *site) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

func (s *site) Quote(q paywall.QuoteRequest) (paywall.Quote, error) {
	due := q.Price
	if q.OneTime {
		due = q.Shortfall
	}
	made, err := s.receiver.Quote(receiver.QuoteRequest{Payee: receiver.TokenPayee(q.Account), Token: q.Token, Due: due, Capped: q.OneTime})
	return paywall.Quote{Address: made.Address, Secret: base64.RawURLEncoding.EncodeToString(made.SharedSecret[:])}, err
}

func (s *site) Balance(_ context.Context, a balances.Account) (amount.Amount, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.balances[a], nil
}

func (s *site) Reserve(_ context.Context, a balances.Account, price amount.Amount) (paywall.Reservation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left, ok := s.balances[a].Sub(price)
	if !ok {
		return nil, balances.ErrInsufficient
	}
	s.balances[a] = left
	return &reserved{site: s, account: a, price: price, left: left}, nil
}

type reserved struct {
	site    *site
	account balances.Account
	price   amount.Amount
	left    amount.Amount
}

func (r *reserved) give(back amount.Amount) amount.Amount {
	r.site.mu.Lock()
	defer r.site.mu.Unlock()
	r.site.balances[r.account] += back
	r.price = 0
	return r.site.balances[r.account]
}

func (r *reserved) Settle(_ context.Context, charge amount.Amount) (amount.Amount, error) {
	return r.give(r.price - charge), nil
}
func (r *reserved) Left() amount.Amount    { return r.left }
func (r *reserved) Release() amount.Amount { return r.give(r.price) }

// left adds up all balances.
func (s *site) left() (sum amount.Amount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.balances {
		sum += b
	}
	return sum
}

// RoundTrip serves a request in place, so that the tests need no sockets and time is theirs.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.requests++
	s.mu.Unlock()
	w := httptest.NewRecorder()
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	if served.Host == "" {
		served.Host = r.URL.Host
	}
	if served.Body == nil {
		served.Body = http.NoBody
	}
	err := s.wall.ServeHTTP(w, served, func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		s.mu.Lock()
		s.bodies = append(s.bodies, string(body))
		s.mu.Unlock()
		fmt.Fprint(w, "paid")
		return err
	})
	closeBody(r)
	if err != nil {
		return nil, err
	}
	response := w.Result()
	response.Request = r
	return response, nil
}

// client is an http.Client whose transport pays over link.
func client(s *site, link ilpcore.Handler, budget Budget) (*http.Client, *Transport) {
	t := &Transport{Base: s, Link: link, Random: rand.Reader, Now: time.Now, Budget: budget, Secret: bytes.Repeat([]byte{9}, 32)}
	return &http.Client{Transport: t}, t
}

func TestTransportPays(t *testing.T) {
	for _, method := range []string{MethodStream, MethodPSK2} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, paywall.Rule{Price: 10}, paywall.Rule{Path: "/free", Free: true}, paywall.Rule{Path: "/big", Price: 1000})
				link := &network{to: s.receiver, conditions: conditions{rate: Rate{99, 100}}}
				c, transport := client(s, link, &Caps{Now: time.Now})
				transport.Method = method
				for i, path := range []string{"/a", "/free", "/b", "/big"} {
					response, err := c.Post("https://shop.example"+path, "text/plain", strings.NewReader("body"))
					if err != nil {
						t.Fatal(err)
					}
					content, err := io.ReadAll(response.Body)
					if response.Body.Close(); err != nil || response.StatusCode != 200 || string(content) != "paid" {
						t.Errorf("%d: status %d, %q, %v", i, response.StatusCode, content, err)
					}
				}
				if s.credited != 1020+s.left() || s.left() > 5 || len(s.bodies) != 4 || strings.Join(s.bodies, " ") != "body body body body" {
					t.Errorf("%s were credited, %s are left, for %q", s.credited, s.left(), s.bodies)
				}
				if balance, known := transport.Balance("shop.example"); !known || balance != s.left() {
					t.Errorf("the balance is said to be %s, and is %s", balance, s.left())
				}
				if s.requests != 7 { // three of them twice
					t.Errorf("%d requests were sent", s.requests)
				}
			})
		})
	}
}

func TestTransportCaps(t *testing.T) {
	tests := []struct {
		name string
		caps *Caps
		paid int // of three requests for 10
		cap  string
	}{
		{"none", &Caps{}, 3, ""},
		{"enough for each request", &Caps{PerRequest: 10}, 3, ""},
		{"too little for one", &Caps{PerRequest: 9}, 0, "per request"},
		{"per host", &Caps{PerHost: 25}, 2, "per host"},
		{"per day", &Caps{PerDay: 10, PerHost: 25}, 1, "per day"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, paywall.Rule{Price: 10})
				link := &network{to: s.receiver}
				test.caps.Now = time.Now
				c, _ := client(s, link, test.caps)
				paid := 0
				for range 3 {
					response, err := c.Get("https://shop.example/")
					if err == nil {
						response.Body.Close()
						paid++
						continue
					}
					var above *CapError
					if !errors.Is(err, ErrUnpaid) || !errors.As(err, &above) || above.Cap != test.cap || !strings.Contains(err.Error(), test.cap) {
						t.Errorf("got %v", err)
					}
				}
				if paid != test.paid || link.paid != amount.Amount(10*test.paid) {
					t.Errorf("%d were paid, with %s", paid, link.paid)
				}
			})
		})
	}
}

// TestTransportBodies sends bodies that can be read once.
func TestTransportBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, paywall.Rule{Price: 2, PerByte: true})
		link := &network{to: s.receiver}
		c, _ := client(s, link, &Caps{Now: time.Now})
		r, err := http.NewRequest(http.MethodPost, "https://shop.example/upload", io.MultiReader(strings.NewReader("once")))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 4
		response, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != 200 || link.paid != 8 || s.left() != 0 || len(s.bodies) != 1 || s.bodies[0] != "once" || s.requests != 2 {
			t.Errorf("status %d, %s paid, %s left, bodies %q, %d requests", response.StatusCode, link.paid, s.left(), s.bodies, s.requests)
		}
	})
}

// TestTransportNeverPaysTwice loses the answers to payments, which arrive all the same, or late, or not at all.
func TestTransportNeverPaysTwice(t *testing.T) {
	tests := []struct {
		name    string
		arrive  time.Duration // after which the money arrives; 0: never
		answers time.Duration // after which the link gives up
		paid    bool          // the request
	}{
		{"arrived, answer lost at once", 1, time.Millisecond, true},
		{"arrived, no answer", 1, 19 * time.Second, true},
		{"arrives late", 15 * time.Second, time.Second, true},
		{"never arrives", 0, time.Second, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, paywall.Rule{Price: 10})
				lost := true
				link := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
					if !lost || in.Amount != 10 { // the only packet of 10 is the payment
						return s.receiver.HandlePrepare(ctx, in)
					}
					lost = false
					in.Destination, in.Data = bytes.Clone(in.Destination), bytes.Clone(in.Data)
					if test.arrive > 0 {
						time.AfterFunc(test.arrive, func() { s.receiver.HandlePrepare(context.Background(), in) })
					}
					time.Sleep(test.answers)
					return ilpcore.Reject(ilpcore.T01, "", "the link is down", nil)
				})
				c, _ := client(s, link, &Caps{Now: time.Now})
				response, err := c.Get("https://shop.example/")
				if err == nil {
					response.Body.Close()
				}
				if (err == nil && response.StatusCode == 200) != test.paid {
					t.Fatalf("got %v", err)
				}
				// The next request pays for itself, whatever became of the first.
				response, err = c.Get("https://shop.example/")
				if err != nil || response.StatusCode != 200 {
					t.Fatalf("then got %v", err)
				}
				response.Body.Close()
				time.Sleep(time.Minute)
				want := map[bool]amount.Amount{true: 20, false: 10}[test.paid]
				if s.credited != want || s.left() != 0 {
					t.Errorf("%s were credited and %s are left; want %s, 0", s.credited, s.left(), want)
				}
			})
		})
	}
}
