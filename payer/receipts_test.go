package payer

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore/stream"
	"github.com/paydoor/paydoor/receiver"
	"github.com/paydoor/paydoor/spsp"
)

// TestResolvedPaymentWithReceipts has a receiver that SPSP told the terms give receipts, and reads what they prove.
func TestResolvedPaymentWithReceipts(t *testing.T) {
	m := newMarket(t)
	base, r := wallet(t, func(w http.ResponseWriter, request *http.Request) {
		terms, err := spsp.ReadReceiptTerms(request.Header)
		if err != nil || (terms == nil) != (request.URL.Path == "/none") {
			t.Errorf("the terms are %v, %v", terms, err)
		}
		quote, err := m.QuotePointer(m.Pointer([32]byte{1}), (*receiver.ReceiptTerms)(terms))
		if err != nil {
			t.Error(err)
		}
		spsp.Answer{Address: quote.Address, Secret: quote.SharedSecret, Receipts: terms != nil && request.URL.Path != "/silent"}.Write(w)
	})
	terms, err := NewReceiptTerms(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	to, err := r.ResolveWithReceipts(t.Context(), base+"/some", terms)
	if err != nil || !to.Receipts {
		t.Fatalf("%+v, %v", to, err)
	}
	var proven []amount.Amount
	sender := streamOver(&network{conditions: conditions{max: 300}, to: m})
	sender.InFlight = 1
	got, err := sender.Pay(t.Context(), Payment{Address: to.Address, Secret: to.Secret, Send: 1000, Receipts: terms, Progress: func(r Result) {
		n, err := terms.Proven(r)
		if err != nil || n != r.Delivered {
			t.Errorf("after %+v: %s, %v", r, n, err)
		}
		proven = append(proven, n)
	}})
	if err != nil || got.Delivered != 1000 || m.till.sum() != 1000 || len(proven) < 4 {
		t.Errorf("got %+v, %v, and %d receipts", got, err, len(proven))
	}
	if to, err = r.ResolveWithReceipts(t.Context(), base+"/silent", terms); err != nil || to.Receipts {
		t.Errorf("a receiver that gives none: %+v, %v", to, err)
	}
	if to, err = r.Resolve(t.Context(), base+"/none"); err != nil || to.Receipts {
		t.Errorf("not asked: %+v, %v", to, err)
	}
	if _, err := r.ResolveWithReceipts(t.Context(), base, &ReceiptTerms{}); !errors.Is(err, ErrPayment) {
		t.Errorf("without a secret: %v", err)
	}
}

func TestReceiptTerms(t *testing.T) {
	terms, err := NewReceiptTerms(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewReceiptTerms(rand.Reader)
	if err != nil || other.Nonce == terms.Nonce || bytes.Equal(other.Secret, terms.Secret) {
		t.Fatalf("the next terms are %v, %v", other, err)
	}
	good := stream.Receipt{Nonce: terms.Nonce, StreamID: 1, TotalReceived: 7}
	for name, test := range map[string]struct {
		receipt []byte
		ok      bool
	}{
		"good":           {good.Append(nil, terms.Secret), true},
		"none":           {nil, false},
		"cut":            {good.Append(nil, terms.Secret)[1:], false},
		"another secret": {good.Append(nil, other.Secret), false},
		"another nonce":  {stream.Receipt{Nonce: other.Nonce, StreamID: 1, TotalReceived: 7}.Append(nil, terms.Secret), false},
		"another stream": {stream.Receipt{Nonce: terms.Nonce, StreamID: 3, TotalReceived: 7}.Append(nil, terms.Secret), false},
	} {
		n, err := terms.Proven(Result{Receipt: test.receipt})
		if test.ok != (err == nil) || test.ok != (n == 7) || !test.ok && !errors.Is(err, ErrReceipt) {
			t.Errorf("%s: %s, %v", name, n, err)
		}
	}
	if r, err := (&ReceiptTerms{Nonce: terms.Nonce}).Verify(good.Append(nil, nil)); !errors.Is(err, ErrReceipt) {
		t.Errorf("an empty secret verified %+v", r)
	}
	text := fmt.Sprintf("%v %+v %#v %v", terms, *terms, terms, Payment{Receipts: terms})
	if strings.Contains(text, fmt.Sprint(terms.Secret)) || strings.Contains(text, base64.StdEncoding.EncodeToString(terms.Secret)) || strings.Contains(text, fmt.Sprintf("%x", terms.Secret)) {
		t.Errorf("the secret is shown in %s", text)
	}
	for n := range 2 {
		random := iotest.TimeoutReader(iotest.OneByteReader(rand.Reader))
		if n == 1 {
			random = iotest.DataErrReader(bytes.NewReader(make([]byte, 20)))
		}
		if _, err := NewReceiptTerms(random); err == nil {
			t.Error("terms were made without randomness")
		}
	}
}
