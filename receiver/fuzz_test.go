package receiver

import (
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// FuzzPlaintext hands the receiver whatever a payer can encrypt validly: it must answer, and credit exactly what it fulfills.
func FuzzPlaintext(f *testing.F) {
	f.Add([]byte("\x01\x0c\x01\x01\x01\x00\x01\x01\x11\x04\x01\x01\x01\x01"), uint64(10), true, true, true)
	f.Add([]byte("\x04\x01\x02\x03\x04\x00\x00\x00\x00\x00\x00\x00\x0a\x00"), uint64(10), false, true, false)
	f.Fuzz(func(t *testing.T, plain []byte, n uint64, isStream, fulfillable, capped bool) {
		if len(plain) > 4096 {
			return
		}
		fx := newFixture(t)
		q := fx.quote(capped, 100)
		keys := psk2.Keys(q.SharedSecret[:])
		if isStream {
			keys = stream.Keys(q.SharedSecret[:])
		}
		reply := fx.handle(fx.prepare(keys, q, amount.Amount(n), plain, fulfillable))
		if _, err := reply.Append(nil); err != nil {
			t.Fatalf("the reply cannot be sent: %v", err)
		}
		switch {
		case reply.Fulfilled && !fulfillable:
			t.Error("fulfilled what cannot be")
		case reply.Fulfilled:
			fx.balance(amount.Amount(n))
		default:
			fx.balance(0)
		}
	})
}

// FuzzDestination hands the receiver whatever a stranger can send.
func FuzzDestination(f *testing.F) {
	fx := newFixture(f)
	f.Add([]byte(fx.quote(true, 10).Address), []byte("data"))
	f.Fuzz(func(t *testing.T, destination, data []byte) {
		reply := fx.handle(ilpcore.Incoming{Prepare: ilpcore.Prepare{Amount: 10, ExpiresAt: fx.now.Add(30e9), Destination: destination, Data: data}})
		if reply.Fulfilled || len(reply.Data) != 0 {
			t.Errorf("a stranger got %+v", reply)
		}
	})
}

// FuzzSegment: what decodes encodes to the same bytes, so that a quote has one spelling.
func FuzzSegment(f *testing.F) {
	keys, err := newSecretKeys(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(keys.encode(nil, terms{payee: payee, due: 10, memo: newMemo(token)}))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		decoded, err := keys.decode(sealed)
		if err != nil {
			return
		}
		if string(keys.encode(nil, decoded)) != string(sealed) {
			t.Errorf("%x has another spelling", sealed)
		}
	})
}
