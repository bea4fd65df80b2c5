package ilpcore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"pgregory.net/rapid"
)

// The Prepare that the npm package ilp-packet prints in its documentation.
const fixturePrepare = "0c68 000000000000006b 3230313731323233303132313430353439" +
	"74e1136dc71c9e5f283bec83461cbf1261c4014f72d48f8dd65453a0b84e7de1" +
	"0d 6578616d706c652e616c696365 20 5db343fdc41898f6df4202329139dc242dd0f558a811b46b28918fdab37c6cb0"

var largest = ilpcore.Prepare{
	Amount:      amount.Max,
	ExpiresAt:   time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
	Condition:   [32]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32},
	Destination: []byte("g." + strings.Repeat("a", 1021)),
	Data:        bytes.Repeat([]byte{7}, ilpcore.MaxData),
}

func TestDecodePrepareFixture(t *testing.T) {
	b := unhex(t, fixturePrepare)
	got, err := ilpcore.DecodePrepare(b)
	if err != nil {
		t.Fatal(err)
	}
	want := ilpcore.Prepare{
		Amount:      107,
		ExpiresAt:   time.Date(2017, 12, 23, 1, 21, 40, 549e6, time.UTC),
		Condition:   [32]byte(unhex(t, "74e1136dc71c9e5f283bec83461cbf1261c4014f72d48f8dd65453a0b84e7de1")),
		Destination: []byte("example.alice"),
		Data:        unhex(t, "5db343fdc41898f6df4202329139dc242dd0f558a811b46b28918fdab37c6cb0"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if &got.Data[0] != &b[len(b)-32] {
		t.Error("Data is a copy")
	}
	if back, err := got.Append([]byte("x")); err != nil || !bytes.Equal(back[1:], b) {
		t.Errorf("came back as %x, %v", back, err)
	}
}

// The digest is that of the same packet made by the npm package ilp-packet.
func TestLargestPrepare(t *testing.T) {
	b, err := largest.Append(nil)
	if err != nil || len(b) != ilpcore.MaxPrepareLength {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != "295a74a4f2a083af2c3650bc879dfe9998b6779e71e6969c5cd8f0f2ddb84d23" {
		t.Errorf("the digest is %s", got)
	}
	back, err := ilpcore.DecodePrepare(b)
	if diff := cmp.Diff(largest, back); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// A Prepare recorded together with the keys that belong to it.
func TestPreparePSK2Vector(t *testing.T) {
	file, err := os.ReadFile("testdata/paid-http.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Request struct{ SharedSecret, Plaintext, Data, Fulfillment, Condition string } `json:"psk2_request"`
		Prepare struct{ Hex string }                                                   `json:"ilp_prepare"`
	}
	if err := json.Unmarshal(file, &v); err != nil {
		t.Fatal(err)
	}
	p, err := ilpcore.DecodePrepare(unhex(t, v.Prepare.Hex))
	if err != nil {
		t.Fatal(err)
	}
	if p.Amount != 10 || string(p.Destination) != "test.conn.gw.abc" || !bytes.Equal(p.Data, unhex(t, v.Request.Data)) {
		t.Errorf("decoded %+v", p)
	}
	k := ilpcore.NewEndToEnd(unhex(t, v.Request.SharedSecret), "ilp_psk2_encryption", "ilp_psk2_fulfillment")
	if plaintext, err := k.Open(nil, p.Data); err != nil || !bytes.Equal(plaintext, unhex(t, v.Request.Plaintext)) {
		t.Errorf("opened %x, %v", plaintext, err)
	}
	if got := k.Fulfillment(p.Data); !bytes.Equal(got[:], unhex(t, v.Request.Fulfillment)) {
		t.Errorf("fulfillment %x", got)
	}
	if got := k.Condition(p.Data); got != p.Condition || !bytes.Equal(got[:], unhex(t, v.Request.Condition)) {
		t.Errorf("condition %x", got)
	}
	sealed, err := k.Seal(nil, unhex(t, v.Request.Plaintext), bytes.NewReader(p.Data[:12]))
	if err != nil || !bytes.Equal(sealed, p.Data) {
		t.Errorf("sealed %x, %v", sealed, err)
	}
}

func TestDecodePrepareTolerates(t *testing.T) {
	tests := map[string]string{
		"bytes after the packet":      "0c43" + minimal + "ff00ff",
		"bytes after the last field":  "0c46" + minimal + "ff00ff",
		"the smallest, nothing after": "0c43" + minimal,
	}
	for name, in := range tests {
		p, err := ilpcore.DecodePrepare(unhex(t, in))
		if err != nil || string(p.Destination) != "test.abc" || len(p.Data) != 0 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// minimal is the contents of a Prepare without data, 67 bytes.
var minimal = "0000000000000001" + hex.EncodeToString([]byte("20300102030405678")) + strings.Repeat("00", 32) +
	"08" + hex.EncodeToString([]byte("test.abc")) + "00"

func TestDecodePrepareRefuses(t *testing.T) {
	replace := func(old, with string) string { return "0c43" + strings.Replace(minimal, old, with, 1) }
	over := hex.EncodeToString(make([]byte, ilpcore.MaxData+1))
	tests := []struct {
		name, in string
		err      error
	}{
		{"nothing", "", ilpcore.ErrTruncated},
		{"only the type", "0c", ilpcore.ErrTruncated},
		{"another type", "0d43" + minimal, ilpcore.ErrType},
		{"contents cut off", "0c43" + minimal[:len(minimal)-2], ilpcore.ErrTruncated},
		{"data cut off inside", "0c42" + minimal[:len(minimal)-2] + "00", ilpcore.ErrTruncated},
		{"length not canonical", "0c8143" + minimal, ilpcore.ErrLength},
		{"data length not canonical", "0c44" + minimal[:len(minimal)-2] + "8100", ilpcore.ErrLength},
		{"expiry", replace("3230333030313032", "3230333031333032"), ilpcore.ErrTimestamp},
		{"destination not an address", replace("746573742e616263", "746573742e61622f"), ilpcore.ErrAddress},
		{"data too long", "0c828045" + minimal[:len(minimal)-2] + "828000" + over, ilpcore.ErrDataTooLong},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := ilpcore.DecodePrepare(unhex(t, test.in))
			if err != test.err {
				t.Errorf("got %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(ilpcore.Prepare{}, p); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAppendPrepareRefuses(t *testing.T) {
	ok := ilpcore.Prepare{Destination: []byte("test.abc")}
	tests := []struct {
		name   string
		change func(*ilpcore.Prepare)
		err    error
	}{
		{"no destination", func(p *ilpcore.Prepare) { p.Destination = nil }, ilpcore.ErrAddress},
		{"long data", func(p *ilpcore.Prepare) { p.Data = make([]byte, 32768) }, ilpcore.ErrDataTooLong},
		{"year 10000", func(p *ilpcore.Prepare) { p.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, ilpcore.ErrTimestamp},
	}
	for _, test := range tests {
		p := ok
		test.change(&p)
		if out, err := p.Append([]byte("x")); !errors.Is(err, test.err) || string(out) != "x" {
			t.Errorf("%s: %q, %v", test.name, out, err)
		}
	}
}

func TestPrepareRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := ilpcore.Prepare{
			Amount:      amount.Amount(rapid.Uint64().Draw(t, "amount")),
			ExpiresAt:   time.UnixMilli(rapid.Int64Range(-62167219200000, 253402300799999).Draw(t, "expiry")).UTC(),
			Condition:   [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "condition")),
			Destination: []byte(drawAddress(t)),
			Data:        rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "data"),
		}
		b, err := want.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ilpcore.DecodePrepare(b)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func TestPrepareAllocations(t *testing.T) {
	b := unhex(t, fixturePrepare)
	if n := testing.AllocsPerRun(100, func() { ilpcore.DecodePrepare(b) }); n != 0 {
		t.Errorf("decoding allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { largest.Append(nil) }); n != oneAllocation() {
		t.Errorf("encoding allocates %v times", n)
	}
}

func FuzzDecodePrepare(f *testing.F) {
	f.Add(unhex(f, fixturePrepare))
	f.Add(unhex(f, "0c43"+minimal+"ff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ilpcore.DecodePrepare(b)
		if err != nil {
			return
		}
		canonical, err := p.Append(nil)
		if err != nil {
			t.Fatalf("%x: decoded, but not encoded: %v", b, err)
		}
		if len(canonical) > len(b) || len(canonical) > ilpcore.MaxPrepareLength {
			t.Fatalf("%x became longer: %x", b, canonical)
		}
		again, err := ilpcore.DecodePrepare(canonical)
		if diff := cmp.Diff(p, again); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func BenchmarkPrepare(b *testing.B) {
	p := ilpcore.Prepare{Destination: []byte("test.conn.gw.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Data: make([]byte, 250)}
	packet, err := p.Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ilpcore.DecodePrepare(packet); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Append(packet[:0]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
