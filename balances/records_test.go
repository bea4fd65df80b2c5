package balances

// This file tests the ledger's format: golden bytes, which are final, and decoders that take what they are given.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

// The bytes of version 1 are final: this test may get new cases, and its old ones never change.
func TestGoldenRecords(t *testing.T) {
	a, c, d := Account(bytes.Repeat([]byte{0xaa}, 32)), [32]byte(bytes.Repeat([]byte{0xcc}, 32)), [32]byte(bytes.Repeat([]byte{0xdd}, 32))
	at := time.UnixMilli(0x0123456789ab)
	as, cs, ds := fmt.Sprintf("%x", a), fmt.Sprintf("%x", c), fmt.Sprintf("%x", d)
	totals := Totals{Credits: Sum{1, 2}, Reversals: Sum{3, 4}, Charges: Sum{5, 6}, Raised: Sum{7, 8}, Lowered: Sum{9, 10}, CreditCount: 11, ChargeCount: 12}
	var halves string
	for n := 1; n <= 12; n++ {
		halves += fmt.Sprintf("%016x", n)
	}
	cases := []struct {
		what string
		got  []byte
		want string
	}{
		{"balance key", balanceKey(a), "62616c2f" + as},
		{"balance", encodeRecord(record{0x0102030405060708, pending{9, 10, 11}}), "020102030405060708" + "0000000000000009" + "0000000a" + "0000000b"},
		{"credit key", creditKey(0x01020304, c), "63722f" + "01020304" + "2f" + cs},
		{"credit", credited{a, 5, d, at}.encode(), "01" + as + "0000000000000005" + ds + "00000123456789ab"},
		{"history key", historyKey(a, 0x0102, 3), "6869732f" + as + "0000000000000102" + "00000003"},
		{"credited", Event{Kind: Credited, At: at, Amount: 5, Condition: c}.encode(), "0143" + "00000123456789ab" + "0000000000000005" + cs},
		{"reversed", Event{Kind: Reversed, At: at, Amount: 5, Condition: c}.encode(), "0152" + "00000123456789ab" + "0000000000000005" + cs},
		{"raised", Event{Kind: Raised, At: at, Amount: 5, Note: "hi"}.encode(), "012b" + "00000123456789ab" + "0000000000000005" + "6869"},
		{"lowered", Event{Kind: Lowered, At: at, Amount: 5}.encode(), "012d" + "00000123456789ab" + "0000000000000005"},
		{"raised once", Event{Kind: Raised, At: at, Amount: 5, Note: "hi", ID: "id"}.encode(), "022b" + "00000123456789ab" + "0000000000000005" + "02" + "6964" + "6869"},
		{"lowered once", Event{Kind: Lowered, At: at, Amount: 5, ID: "x"}.encode(), "022d" + "00000123456789ab" + "0000000000000005" + "01" + "78"},
		{"adjustment key", adjustmentKey("id"), "61646a2f" + "6964"},
		{"adjustment", adjusted{a, Lowered, 5, "hi"}.encode(), "01" + as + "2d" + "0000000000000005" + "6869"},
		{"folded", Event{Kind: Folded, At: at, Sums: totals}.encode(), "0146" + "00000123456789ab" + halves},
		{"settled", Event{Kind: Settled, At: at, Count: 7, Charges: Sum{1, 2}}.encode(), "0153" + "00000123456789ab" + "0000000000000007" + "00000000000000010000000000000002"},
		{"totals", totals.encode(), "01" + halves},
		{"asset", Asset{"USD", 9}.encode(), "0109555344"},
		{"clock", encodeClock(at), "0100000123456789ab"},
	}
	for _, c := range cases {
		if got := fmt.Sprintf("%x", c.got); got != c.want {
			t.Errorf("%s is\n%s, want\n%s", c.what, got, c.want)
		}
	}
}

func TestNewerRecordsAreRefused(t *testing.T) {
	newer := func(b []byte) []byte { b[0]++; return b }
	checks := map[string]func() error{
		"balance":    func() error { _, err := decodeBalance(newer(encodeRecord(record{}))); return err },
		"credit":     func() error { _, err := decodeCredited(newer(credited{}.encode())); return err },
		"totals":     func() error { _, err := decodeTotals(newer(Totals{}.encode())); return err },
		"asset":      func() error { _, err := decodeAsset(newer(Asset{"USD", 9}.encode())); return err },
		"clock":      func() error { _, err := decodeClock(newer(encodeClock(time.Now()))); return err },
		"event":      func() error { _, err := decodeEvent(newer(Event{Kind: Raised, ID: "id"}.encode())); return err },
		"adjustment": func() error { _, err := decodeAdjusted(newer(adjusted{}.encode())); return err },
	}
	for what, f := range checks {
		t.Run(what, func(t *testing.T) { is(t, f(), ErrRecord) })
	}
}

func FuzzDecodeRecords(f *testing.F) {
	f.Add(encodeRecord(record{balance: 1}))
	f.Add(encodeRecordV1(1))
	f.Add(credited{amount: 1}.encode())
	f.Add(Totals{CreditCount: 1}.encode())
	f.Add(Asset{"USD", 9}.encode())
	f.Add(encodeClock(time.UnixMilli(1)))
	for _, k := range []EventKind{Credited, Reversed, Raised, Lowered, Settled, Folded} {
		f.Add(Event{Kind: k, Note: "note"}.encode())
	}
	f.Add(Event{Kind: Raised, Note: "note", ID: "id"}.encode())
	f.Add(adjusted{note: "note"}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		same := func(what string, err error, again func() []byte) {
			if err == nil && !bytes.Equal(again(), b) {
				t.Fatalf("%s does not survive encoding", what)
			}
		}
		balance, err := decodeBalance(b)
		same("balance", err, func() []byte {
			if len(b) == balanceV1 {
				return encodeRecordV1(balance.balance)
			}
			return encodeRecord(balance)
		})
		c, err := decodeCredited(b)
		same("credit", err, c.encode)
		totals, err := decodeTotals(b)
		same("totals", err, totals.encode)
		asset, err := decodeAsset(b)
		same("asset", err, asset.encode)
		clock, err := decodeClock(b)
		same("clock", err, func() []byte { return encodeClock(clock) })
		e, err := decodeEvent(b)
		same("event", err, e.encode)
		x, err := decodeAdjusted(b)
		same("adjustment", err, x.encode)
	})
}

func FuzzReadKeys(f *testing.F) {
	f.Add(creditKey(1, condition(1)))
	f.Add(historyKey(account(1), 1, 1))
	f.Fuzz(func(t *testing.T, key []byte) {
		if minute, c, err := readCreditKey(key); err == nil && !bytes.Equal(creditKey(minute, c)[8:], key[8:]) {
			t.Fatal("a credit key does not survive encoding")
		}
		_, _ = readAccountKey(key, balancePrefix)
		_, _ = readHistory(key, nil)
	})
}

func encodeRecord(r record) []byte { b := r.encode(); return b[:] }

// encodeRecordV1 is how balances were written before there were pending charges.
func encodeRecordV1(a amount.Amount) []byte {
	return binary.BigEndian.AppendUint64([]byte{recordVersion}, uint64(a))
}

func TestFirstVersionOfBalancesIsRead(t *testing.T) {
	if got, err := decodeBalance([]byte{1, 1, 2, 3, 4, 5, 6, 7, 8}); err != nil || got != (record{balance: 0x0102030405060708}) {
		t.Fatalf("%+v, %v", got, err)
	}
	_, err := decodeBalance([]byte{1, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	is(t, err, ErrRecord)
	b := newBench(t, Options{})
	a := account(1)
	b.give(a, 10)
	ticket, err := b.store.Join(func(g *store.Group) { g.Put(balanceKey(a), encodeRecordV1(10)) })
	if err != nil || ticket.Wait(ctx) != nil {
		t.Fatal(err)
	}
	b.reopen()
	b.audit()
	if got, err := b.reserve(a, 3).Settle(ctx, 3); got != 7 || err != nil {
		t.Fatal(got, err)
	}
	b.reopen()
	b.want(a, 7, 0)
	b.audit()
}
