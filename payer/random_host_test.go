package payer

// This file is the paid hosts of the randomised test: honest about every unit, and in everything else as bad as servers and networks are.

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/ilpcore/stream"
	"github.com/paydoor/paydoor/receiver"
)

// paidHost is a gateway and its receiver. It charges a request when it answers with 200, and never otherwise.
type paidHost struct {
	world    *world
	name     string
	token    string // the only one that may come
	receiver *receiver.Receiver

	tells   bool   // Pay-Balance
	asked   bool   // answers OPTIONS
	method  string // of payment; "": what Pay-Accept names
	capped  bool   // a 402 takes no more than is missing
	growing bool   // each 402 raises the price of the next

	mu       sync.Mutex
	balance  amount.Amount
	credited amount.Amount
	charged  amount.Amount
	raised   amount.Amount
	quotes   map[string]quoteKeys // by address
	payers   []*hop               // of which something arrived
}

// quoteKeys are those that the packets to a quote may be made with.
type quoteKeys struct{ stream, psk2 *ilpcore.EndToEnd }

func newPaidHost(t testing.TB, w *world, name string, secret []byte, draw *mathrand.Rand) *paidHost {
	token := hmac.New(sha256.New, secret)
	token.Write([]byte(name))
	h := &paidHost{
		world: w, name: name, token: base64.RawURLEncoding.EncodeToString(token.Sum(nil)), quotes: map[string]quoteKeys{},
		tells: draw.IntN(4) > 0, asked: draw.IntN(5) > 0, capped: draw.IntN(3) > 0, growing: draw.IntN(4) == 0,
		method: []string{"", MethodStream, MethodPSK2}[draw.IntN(3)],
	}
	var err error
	h.receiver, err = receiver.New(receiver.Config{
		Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, Addresses: hostAddress(name), Crediter: h,
		Random: &lockedRandom{source: mathrand.NewChaCha8([32]byte{1})}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// hostAddress is the Interledger address of a host.
type hostAddress string

func (a hostAddress) address() ilpcore.Address {
	label, _, _ := strings.Cut(string(a), ".")
	return ilpcore.Address("test." + label)
}

func (a hostAddress) Address() (ilpcore.Address, ilpcore.Asset, bool) {
	return a.address(), ilpcore.Asset{Code: "USD", Scale: 9}, true
}

func (a hostAddress) Suffix(destination []byte) ([]byte, bool) {
	return a.address().Suffix(destination)
}

// Credit is called by the receiver.
func (h *paidHost) Credit(_ context.Context, c receiver.Credit) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.balance += c.Amount
	h.credited += c.Amount
	return false, nil
}

func (h *paidHost) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

// peaceful is a path that costs nothing, and works.
const peaceful = "/0/peace"

// errReset is a connection that broke.
var errReset = fmt.Errorf("read: connection reset by peer: %w", io.ErrUnexpectedEOF)

// RoundTrip answers a request, or loses it or its answer.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	buyer := r.Context().Value(buyerKey{}).(*buyer)
	h := w.hosts[r.URL.Hostname()]
	defer closeBody(r)
	if r.URL.Path == peaceful {
		return h.serve(r, buyer, false)
	}
	if err := nap(r.Context(), time.Duration(buyer.int(200))*time.Millisecond); err != nil {
		return nil, err
	}
	switch fate := buyer.int(100); {
	case fate < 3: // before anybody read it
		return nil, errReset
	case fate < 5: // nobody answers
		<-r.Context().Done()
		return nil, r.Context().Err()
	case fate < 8:
		return answer(r, http.StatusServiceUnavailable, nil), nil
	case fate < 11 && r.Method != http.MethodOptions:
		to := w.names[buyer.int(len(w.names))]
		status := []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}[buyer.int(3)]
		return answer(r, status, http.Header{"Location": {fmt.Sprintf("https://%s%s", to, r.URL.Path)}}), nil
	case fate < 14:
		_, err := h.serve(r, buyer, false)
		if err == nil && buyer.int(2) == 0 {
			<-r.Context().Done() // processed, and the answer never comes
			return nil, r.Context().Err()
		}
		return nil, errReset
	case fate < 17:
		return h.serve(r, buyer, true)
	default:
		response, err := h.serve(r, buyer, false)
		if late := nap(r.Context(), time.Duration(buyer.int(200))*time.Millisecond); late != nil {
			return nil, late
		}
		return response, err
	}
}

func nap(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func answer(r *http.Request, status int, header http.Header) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: r, ProtoMajor: 1, ProtoMinor: 1}
}

// serve is the gateway itself. Without a reason, it asks for money that it has.
func (h *paidHost) serve(r *http.Request, b *buyer, withoutReason bool) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if got := r.Header.Get("Pay-Token"); got != h.token {
		h.world.fault("%s got the token %q", h.name, got)
	}
	price := amount.Amount(0)
	if r.URL.Path != peaceful {
		base, err := strconv.ParseUint(strings.TrimPrefix(r.URL.Path, "/"), 10, 32)
		if err != nil {
			return nil, err
		}
		price = amount.Amount(base) + h.raised
	}
	switch {
	case r.Method == http.MethodOptions && !h.asked:
		return answer(r, http.StatusNotFound, nil), nil
	case r.Method == http.MethodOptions:
		return h.quote(r, http.StatusNoContent, price)
	case withoutReason || h.balance < price:
		if h.growing && h.raised < 50 {
			h.raised += amount.Amount(b.int(5))
		}
		return h.quote(r, http.StatusPaymentRequired, price)
	}
	if string(body) != b.body && r.Method == http.MethodPost {
		h.world.fault("%s was sent %q instead of %q", h.name, body, b.body)
	}
	h.balance -= price
	h.charged += price
	hopOf(r.Context()).charge()
	header := http.Header{}
	if h.tells {
		header.Set("Pay-Balance", h.balance.String())
	}
	return answer(r, http.StatusOK, header), nil
}

// quote answers with a price.
func (h *paidHost) quote(r *http.Request, status int, price amount.Amount) (*http.Response, error) {
	token, err := base64.RawURLEncoding.DecodeString(h.token)
	if err != nil {
		return nil, err
	}
	request := receiver.QuoteRequest{Payee: receiver.TokenPayee(sha256.Sum256(token)), Token: token, Due: price}
	if missing, _ := price.Sub(h.balance); status == http.StatusPaymentRequired && h.capped && missing > 0 {
		request.Due, request.Capped = missing, true
	}
	made, err := h.receiver.Quote(request)
	if err != nil {
		return nil, err
	}
	if _, known := h.quotes[made.Address]; !known {
		h.quotes[made.Address] = quoteKeys{stream.Keys(made.SharedSecret[:]), psk2.Keys(made.SharedSecret[:])}
	}
	hopOf(r.Context()).quoted(price)
	method := h.method
	if method == "" {
		method = r.Header.Get("Pay-Accept")
	}
	secret := base64.RawURLEncoding.EncodeToString(made.SharedSecret[:])
	header := http.Header{"Pay": {fmt.Sprintf("%s %s %s %s", method, made.Address, secret, price)}}
	if h.tells {
		header.Set("Pay-Balance", h.balance.String())
	}
	return answer(r, status, header), nil
}
