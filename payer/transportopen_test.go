package payer

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// meter is a server as @sharafian/cog is one: its Pay tells no price, it knows a token once a STREAM connection is there, and while it
// answers it lets the receiver take the price.
type meter struct {
	stranger
	price    amount.Amount
	takes    amount.Amount // the receiver's limit now
	connects time.Time     // when it knows of the connection
	served   int
	mute     bool // never tells a limit
	once     sync.Once
}

func newMeter(price amount.Amount) *meter {
	m := &meter{price: price}
	m.say = func(s *stranger, b *stream.Builder) {
		if m.mute {
			return
		}
		m.once.Do(func() { m.connects = time.Now().Add(300 * time.Millisecond) })
		b.StreamMaxMoney(stream.StreamMaxMoney{StreamID: 1, ReceiveMax: m.takes, TotalReceived: s.received})
	}
	return m
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	closeBody(r)
	answer := func(status int, header http.Header) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader("`Pay-Token` must be 16 bytes of base64.")), Request: r}, nil
	}
	if len(r.Header.Get("Pay-Token")) != 22 {
		return answer(400, http.Header{})
	}
	m.mu.Lock()
	connected := !m.connects.IsZero() && time.Now().After(m.connects)
	if connected {
		m.takes += m.price
	}
	want := m.takes
	m.mu.Unlock()
	if !connected {
		return answer(402, http.Header{"Pay": {"interledger-stream test.stranger.x " + strings.Repeat("A", 43) + "="}})
	}
	for range 100 {
		time.Sleep(50 * time.Millisecond)
		m.mu.Lock()
		if m.received >= want {
			m.served++
			m.mu.Unlock()
			return answer(200, http.Header{})
		}
		m.mu.Unlock()
	}
	return answer(408, http.Header{})
}

func TestTransportPaysWithoutAPrice(t *testing.T) {
	tests := []struct {
		name       string
		allowance  amount.Amount
		perRequest amount.Amount
		mute       bool
		rate       Rate
		status     int
		paid       amount.Amount
		err        error
	}{
		{name: "within the allowance", allowance: 1000, status: 200, paid: 70},
		{name: "at a rate", allowance: 1000, rate: Rate{1, 2}, status: 200, paid: 140},
		{name: "no allowance", status: 402},
		{name: "too small an allowance", allowance: 50, status: 408, paid: 50},
		{name: "a cap below the allowance", allowance: 1000, perRequest: 999, err: ErrCap},
		{name: "a receiver without a limit", allowance: 1000, mute: true, err: ErrNotOpened},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMeter(70)
				m.mute = test.mute
				link := &network{to: m, conditions: conditions{rate: test.rate, max: 60, delay: 10 * time.Millisecond}}
				caps := &Caps{PerRequest: test.perRequest, Now: time.Now}
				c, transport := client(nil, link, caps)
				transport.Base, transport.Allowance = m, test.allowance
				var last Progress
				transport.Progress = func(p Progress) { last = p }
				response, err := c.Post("https://shop.example/", "text/plain", strings.NewReader("body"))
				if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
					t.Fatalf("got %v", err)
				}
				if err == nil {
					response.Body.Close()
					if response.StatusCode != test.status {
						t.Errorf("status %d", response.StatusCode)
					}
				}
				if link.paid != test.paid || caps.hosts["shop.example"] != test.paid || last.Sent != test.paid {
					t.Errorf("%s were paid, %s are counted, and %+v was told", link.paid, caps.hosts["shop.example"], last)
				}
			})
		})
	}
}

func TestReadOpenLeavesWhatItDoesNotKnow(t *testing.T) {
	secret := strings.Repeat("A", 43)
	for pay, want := range map[string]bool{
		"interledger-stream test.x " + secret + "=":   true,
		"interledger-stream test.x " + secret + " 10": false,
		"interledger-psk2 test.x " + secret:           false,
		"interledger-pull test.x " + secret:           false,
		"interledger-stream test..x " + secret:        false,
		"":                                            false,
	} {
		if _, got := readOpen(&http.Response{Header: http.Header{"Pay": {pay}}}); got != want {
			t.Errorf("%q: %v", pay, got)
		}
	}
}
