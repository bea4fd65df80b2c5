package ilpcore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"pgregory.net/rapid"
)

func TestConditions(t *testing.T) {
	if ilpcore.PeerCondition != sha256.Sum256(ilpcore.PeerFulfillment[:]) {
		t.Error("PeerCondition is not the hash of PeerFulfillment")
	}
	if got := hex.EncodeToString(ilpcore.PeerCondition[:]); got != "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925" {
		t.Errorf("PeerCondition is %s", got)
	}
	if got := hex.EncodeToString(ilpcore.PingCondition[:]); got != "8c00bc0c614f64f7e1e00b59a57baf5c57b6a119a90d54af489836a13f9bc77e" {
		t.Errorf("PingCondition is %s", got)
	}
}

func TestILDCPRequest(t *testing.T) {
	request := ilpcore.ILDCPRequest(time.Date(2017, 12, 23, 1, 21, 40, 549e6, time.UTC))
	want := unhex(t, "0c46 0000000000000000"+hex.EncodeToString([]byte("20171223012140549"))+
		"66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925 0b 706565722e636f6e666967 00")
	got, err := request.Append(nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%x, %v", got, err)
	}
	received, err := ilpcore.DecodePrepare(got)
	if err != nil || ilpcore.CheckILDCPRequest(&received) != nil {
		t.Errorf("a request is refused: %v", err)
	}
	received.Condition[0]++
	if err := ilpcore.CheckILDCPRequest(&received); err != ilpcore.ErrILDCPRequest {
		t.Errorf("another condition: %v", err)
	}
	request.Destination = []byte("peer.configs")
	if err := ilpcore.CheckILDCPRequest(&request); err != ilpcore.ErrILDCPRequest {
		t.Errorf("another destination: %v", err)
	}
}

func TestDecodeILDCP(t *testing.T) {
	want := ilpcore.ILDCP{Address: "test.conn.rhttp", Asset: ilpcore.Asset{Code: "USD", Scale: 9}}
	for _, in := range []string{"0f 746573742e636f6e6e2e7268747470 09 03 555344", "0f 746573742e636f6e6e2e7268747470 09 03 555344 ffff"} {
		if got, err := ilpcore.DecodeILDCP(unhex(t, in)); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	invalid := map[string]string{
		"nothing":        "",
		"no asset":       "0f 746573742e636f6e6e2e7268747470",
		"cut off":        "0f 746573742e636f6e6e2e7268747470 09 03 5553",
		"no address":     "00 09 03 555344",
		"not an address": "04 61626364 09 03 555344",
		"empty code":     "06 746573742e61 09 00",
		"not UTF-8":      "06 746573742e61 09 03 55ff44",
		"control":        "06 746573742e61 09 03 550044",
		"long code":      "06 746573742e61 09 41" + strings.Repeat("41", 65),
	}
	for name, in := range invalid {
		if got, err := ilpcore.DecodeILDCP(unhex(t, in)); !errors.Is(err, ilpcore.ErrILDCP) || got != (ilpcore.ILDCP{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if out, err := (ilpcore.ILDCP{Asset: want.Asset}).Append([]byte("x")); !errors.Is(err, ilpcore.ErrAddress) || string(out) != "x" {
		t.Errorf("without an address: %q, %v", out, err)
	}
	if _, err := (ilpcore.ILDCP{Address: "test.a"}).Reply(); !errors.Is(err, ilpcore.ErrILDCP) {
		t.Errorf("without an asset: %v", err)
	}
}

func TestAmountTooLarge(t *testing.T) {
	want := ilpcore.AmountTooLarge{Received: 1000, Maximum: 10}
	b := unhex(t, "00000000000003e8 000000000000000a")
	if got := want.Append(nil); !bytes.Equal(got, b) {
		t.Errorf("encoded %x", got)
	}
	if got, err := ilpcore.DecodeAmountTooLarge(append(b, 1)); err != nil || got != want {
		t.Errorf("decoded %+v, %v", got, err)
	}
	for _, in := range [][]byte{nil, b[:15], unhex(t, "000000000000000a 000000000000000a"), unhex(t, "0000000000000000 0000000000000000")} {
		if got, err := ilpcore.DecodeAmountTooLarge(in); err != ilpcore.ErrAmountTooLarge || got != (ilpcore.AmountTooLarge{}) {
			t.Errorf("%x: %+v, %v", in, got, err)
		}
	}
}

func TestEcho(t *testing.T) {
	request := ilpcore.Echo{Source: []byte("test.alice")}
	data, err := request.Append(nil)
	if err != nil || string(data) != "ECHOECHOECHOECHO\x00\x0atest.alice" {
		t.Fatalf("%q, %v", data, err)
	}
	p := ilpcore.Prepare{Amount: 7, ExpiresAt: largest.ExpiresAt, Condition: [32]byte{9}, Destination: []byte("test.node"), Data: data}
	back, err := ilpcore.EchoBack(&p)
	want := ilpcore.Prepare{Amount: 7, ExpiresAt: p.ExpiresAt, Condition: p.Condition, Destination: []byte("test.alice"), Data: []byte("ECHOECHOECHOECHO\x01")}
	if diff := cmp.Diff(want, back); err != nil || diff != "" {
		t.Error(err, diff)
	}
	response, err := ilpcore.DecodeEcho(back.Data)
	if err != nil || !response.Response {
		t.Errorf("%+v, %v", response, err)
	}
	if again, err := response.Append(nil); err != nil || !bytes.Equal(again, back.Data) {
		t.Errorf("%q, %v", again, err)
	}
	if _, err := ilpcore.EchoBack(&back); err != ilpcore.ErrEcho {
		t.Errorf("a response is answered: %v", err)
	}
	for _, in := range []string{"", "ECHO", "ECHOECHOECHOECHO", "ECHOECHOECHOECHO\x00", "ECHOECHOECHOECHO\x00\x0atest", "ECHOECHOECHOECHO\x00\x02ab", "ECHOECHOECHOECHO\x02\x0atest.alice", "echoechoechoecho\x01"} {
		if got, err := ilpcore.DecodeEcho([]byte(in)); err != ilpcore.ErrEcho {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
	}
	if out, err := (ilpcore.Echo{}).Append([]byte("x")); err != ilpcore.ErrAddress || string(out) != "x" {
		t.Errorf("without a source: %q, %v", out, err)
	}
	if !ilpcore.IsEcho(data) || ilpcore.IsEcho([]byte("ECHOECHOECHOECH")) {
		t.Error("IsEcho is wrong")
	}
}

func TestCodes(t *testing.T) {
	for _, s := range []string{"F00", "F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F99", "T00", "T01", "T02", "T03", "T04", "T05", "T99", "R00", "R01", "R02", "R99"} {
		c, err := ilpcore.ParseCode(s)
		if err != nil || c.String() != s || c.Name() == "" {
			t.Errorf("%s: %s %q, %v", s, c, c.Name(), err)
		}
		if c.Final() != (s[0] == 'F') || c.Temporary() != (s[0] == 'T') || c.Relative() != (s[0] == 'R') {
			t.Errorf("%s: the class is wrong", s)
		}
	}
	names := map[ilpcore.Code]string{ilpcore.F02: "Unreachable", ilpcore.F08: "Amount Too Large", ilpcore.T04: "Insufficient Liquidity", ilpcore.R02: "Insufficient Timeout", ilpcore.R99: "Application Error", {'F', '0', '9'}: ""}
	for c, want := range names {
		if c.Name() != want {
			t.Errorf("%s is called %q", c, c.Name())
		}
	}
	for _, s := range []string{"", "F0", "F000", "F 0", "F0\n", "F0\x7f"} {
		if c, err := ilpcore.ParseCode(s); !errors.Is(err, ilpcore.ErrCode) || c != (ilpcore.Code{}) {
			t.Errorf("%q: %v, %v", s, c, err)
		}
	}
}

func TestNeighboursRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := ilpcore.ILDCP{Address: ilpcore.Address(drawAddress(t)), Asset: ilpcore.Asset{
			Code: rapid.StringMatching(`[A-Za-z€]{1,12}`).Draw(t, "code"), Scale: rapid.Uint8().Draw(t, "scale"),
		}}
		reply, err := c.Reply()
		if err != nil || !reply.Fulfilled || reply.Fulfillment != ilpcore.PeerFulfillment {
			t.Fatalf("%+v, %v", reply, err)
		}
		if got, err := ilpcore.DecodeILDCP(reply.Data); err != nil || got != c {
			t.Fatalf("%+v came back as %+v, %v", c, got, err)
		}
		a := ilpcore.AmountTooLarge{Received: amount.Amount(rapid.Uint64Min(1).Draw(t, "received"))}
		a.Maximum = amount.Amount(rapid.Uint64Max(uint64(a.Received)-1).Draw(t, "maximum"))
		if got, err := ilpcore.DecodeAmountTooLarge(a.Append(nil)); err != nil || got != a {
			t.Fatalf("%+v came back as %+v, %v", a, got, err)
		}
	})
}

func FuzzDecodeILDCP(f *testing.F) {
	f.Add([]byte("\x0ftest.conn.rhttp\x09\x03USD"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ilpcore.DecodeILDCP(b)
		if err != nil {
			return
		}
		out, err := c.Append(nil)
		if err != nil || !bytes.HasPrefix(b, out) {
			t.Fatalf("%x became %x, %v", b, out, err)
		}
	})
}

func FuzzDecodeEcho(f *testing.F) {
	f.Add([]byte("ECHOECHOECHOECHO\x00\x0atest.alice"))
	f.Add([]byte("ECHOECHOECHOECHO\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ilpcore.DecodeEcho(b)
		if err != nil {
			return
		}
		out, err := e.Append(nil)
		if err != nil || !bytes.HasPrefix(b, out) {
			t.Fatalf("%x became %x, %v", b, out, err)
		}
	})
}

func FuzzDecodeAmountTooLarge(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x03\xe8\x00\x00\x00\x00\x00\x00\x00\x0a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ilpcore.DecodeAmountTooLarge(b)
		if err == nil && (a.Maximum >= a.Received || !bytes.Equal(a.Append(nil), b[:16])) {
			t.Fatalf("%x became %+v", b, a)
		}
	})
}
