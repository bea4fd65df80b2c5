package btp_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/btp"
	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var christmas = time.Date(2017, 12, 24, 16, 14, 32, 200e6, time.UTC)

// The bytes were made by the npm package btp-packet, or recorded from ilp-plugin-btp (the second auth message).
var vectors = []struct {
	name, bytes string
	frame       btp.Frame
}{
	{
		"auth", "06 01020304 29 0103 04 61757468 00 00 0d 617574685f757365726e616d65 01 00 0a 617574685f746f6b656e 01 03 746f6b",
		btp.AuthMessage(0x01020304, btp.Auth{Token: "tok"}),
	},
	{
		"auth of a stock client", "06 a23e90f3 29 01 03 04 61757468 00 00 0d 617574685f757365726e616d65 01 00 0a 617574685f746f6b656e 01 03 746f6b",
		btp.AuthMessage(0xa23e90f3, btp.Auth{Token: "tok"}),
	},
	{"empty Response", "01 00000005 02 0100", btp.Frame{Type: btp.TypeResponse, RequestID: 5}},
	{
		"ILP Response", "01 00000005 09 0101 03 696c70 00 01 0d",
		btp.Frame{Type: btp.TypeResponse, RequestID: 5, Entries: []btp.Entry{{Name: "ilp", Data: []byte{0x0d}}}},
	},
	{"Transfer", "07 00000005 0a 000000000000000a 0100", btp.Frame{Type: btp.TypeTransfer, RequestID: 5, Amount: 10}},
	{
		"Error", "02 00000009 3d 463030 10 4e6f7441636365707465644572726f72 13 32303137313232343136313433322e3230305a" +
			"12 696e76616c696420617574685f746f6b656e 0100",
		btp.NewError(9, btp.NotAccepted, "invalid auth_token", christmas),
	},
}

func TestVectors(t *testing.T) {
	for _, vector := range vectors {
		t.Run(vector.name, func(t *testing.T) {
			b := unhex(t, vector.bytes)
			var got btp.Frame
			err := got.Decode(b)
			if diff := cmp.Diff(vector.frame, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Error(err, diff)
			}
			out, err := vector.frame.Append([]byte("x"))
			if err != nil || !bytes.Equal(out[1:], b) {
				t.Errorf("encoded %x, %v", out, err)
			}
			if err := got.Decode(append(b, 0, 0xff)); err != nil {
				t.Errorf("with bytes after it: %v", err)
			}
		})
	}
}

func TestAppendILP(t *testing.T) {
	for _, size := range []int{0, 1, 119, 120, 127, 128, 300, ilpcore.MaxReplyLength} {
		packet := bytes.Repeat([]byte{7}, size)
		frame := btp.Frame{Type: btp.TypeMessage, RequestID: 77, Entries: []btp.Entry{{Name: "ilp", Data: packet}}}
		want, err := frame.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := btp.AppendILP([]byte("x"), btp.TypeMessage, 77, packet); !bytes.Equal(got[1:], want) {
			t.Errorf("%d bytes: %x", size, got)
		}
		var back btp.Frame
		if err := back.Decode(want); err != nil {
			t.Fatal(err)
		}
		if got, ok := back.ILP(); !ok || !bytes.Equal(got, packet) {
			t.Errorf("%d bytes came back as %x", size, got)
		}
	}
}

func TestDecodeTolerates(t *testing.T) {
	tests := map[string]string{
		"bytes after the entries":     "06 00000001 0b 0101 03 696c70 00 01 0d ffff",
		"unknown content type":        "06 00000001 09 0101 03 696c70 63 01 0d",
		"leading zero in the count":   "06 00000001 0a 020001 03 696c70 00 01 0d",
		"another entry with the name": "06 00000001 10 0102 03 696c70 00 01 0d 03 696c70 00 01 0e",
	}
	for name, in := range tests {
		var f btp.Frame
		err := f.Decode(unhex(t, in))
		if packet, ok := f.ILP(); err != nil || !ok || !bytes.Equal(packet, []byte{0x0d}) {
			t.Errorf("%s: %x, %v", name, packet, err)
		}
	}
	var f btp.Frame
	if err := f.Decode(unhex(t, "02 00000009 0d 463030 01 78 04 6e6f6f6e 00 0100")); err != nil || !f.Error.TriggeredAt.IsZero() {
		t.Errorf("an unreadable time: %+v, %v", f, err)
	}
	if packet, ok := f.ILP(); ok {
		t.Errorf("a frame without ILP gives %x", packet)
	}
}

func TestDecodeRefuses(t *testing.T) {
	many := "06 00000001 81a7 0121" + strings.Repeat("01 61 00 01 00", 33)
	tests := []struct {
		name, in string
		err      error
	}{
		{"nothing", "", ilpcore.ErrTruncated},
		{"no body", "06 00000001", ilpcore.ErrTruncated},
		{"empty body", "06 00000001 00", ilpcore.ErrTruncated},
		{"BTP 1.0 type", "03 00000001 02 0100", btp.ErrType},
		{"type 0", "00 00000001 02 0100", btp.ErrType},
		{"count without its length", "06 00000001 01 00", ilpcore.ErrVarUint},
		{"body cut off", "06 00000001 03 0100", ilpcore.ErrTruncated},
		{"length not canonical", "06 00000001 8102 0100", ilpcore.ErrLength},
		{"entry missing", "06 00000001 02 0101", ilpcore.ErrTruncated},
		{"entry cut off", "06 00000001 09 0101 03 696c70 00 02 0d", ilpcore.ErrTruncated},
		{"huge count", "06 00000001 09 08 ffffffffffffffff", btp.ErrEntries},
		{"33 entries", many, btp.ErrEntries},
		{"empty name", "06 00000001 06 0101 00 00 01 0d", btp.ErrName},
		{"line break in a name", "06 00000001 07 0101 01 0a 00 01 0d", btp.ErrName},
		{"short amount", "07 00000001 07 00000000000000", ilpcore.ErrTruncated},
		{"Error cut off", "02 00000001 02 4630", ilpcore.ErrTruncated},
		{"Error with a bad code", "02 00000001 09 46300a 01 78 00 00 0100", ilpcore.ErrCode},
		{"Error without a name", "02 00000001 08 463030 00 00 00 0100", btp.ErrName},
		{"Error with long data", "02 00000001 82200b 463030 01 78 00 822001" + strings.Repeat("61", 8193) + "0100", btp.ErrErrorData},
		{"too long", "06 00000001 02 0100" + strings.Repeat("00", btp.MaxFrame-7), btp.ErrTooLong},
	}
	for _, test := range tests {
		f := btp.Frame{Type: 9, RequestID: 9, Amount: 9, Entries: []btp.Entry{{Name: "old"}}}
		err := f.Decode(unhex(t, test.in))
		if !errors.Is(err, test.err) || err == nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(btp.Frame{}, f, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	entry := btp.Entry{Name: "a"}
	tests := []struct {
		name  string
		frame btp.Frame
		err   error
	}{
		{"no type", btp.Frame{}, btp.ErrType},
		{"too many entries", btp.Frame{Type: btp.TypeMessage, Entries: make([]btp.Entry, 33)}, btp.ErrEntries},
		{"no name", btp.Frame{Type: btp.TypeMessage, Entries: []btp.Entry{{}}}, btp.ErrName},
		{"long name", btp.Frame{Type: btp.TypeMessage, Entries: []btp.Entry{entry, {Name: strings.Repeat("a", 129)}}}, btp.ErrName},
		{"too long", btp.Frame{Type: btp.TypeMessage, Entries: []btp.Entry{{Name: "a", Data: make([]byte, btp.MaxFrame-8)}}}, btp.ErrTooLong},
		{"no code", btp.Frame{Type: btp.TypeError}, ilpcore.ErrCode},
		{"no error name", btp.NewError(1, btp.Code{'F', '0', '2'}, "", christmas), btp.ErrName},
		{"long error data", btp.NewError(1, btp.NotAccepted, strings.Repeat("a", 8193), christmas), btp.ErrErrorData},
		{"year", btp.NewError(1, btp.NotAccepted, "", christmas.AddDate(9000, 0, 0)), ilpcore.ErrTimestamp},
	}
	for _, test := range tests {
		if out, err := test.frame.Append([]byte("x")); !errors.Is(err, test.err) || string(out) != "x" {
			t.Errorf("%s: %d bytes, %v", test.name, len(out), err)
		}
	}
}

func TestErrorNames(t *testing.T) {
	names := map[btp.Code]string{
		btp.Unreachable: "UnreachableError", btp.NotAccepted: "NotAcceptedError", btp.InvalidFields: "InvalidFieldsError",
		btp.TransferNotFound: "TransferNotFoundError", btp.InvalidFulfillment: "InvalidFulfillmentError", btp.DuplicateID: "DuplicateIdError",
		btp.AlreadyRolledBack: "AlreadyRolledBackError", btp.AlreadyFulfilled: "AlreadyFulfilledError",
		btp.InsufficientBalance: "InsufficientBalanceError", {'F', '0', '2'}: "",
	}
	for code, want := range names {
		if code.Name() != want {
			t.Errorf("%s is called %q", code, code.Name())
		}
	}
	f := btp.NewError(1, btp.NotAccepted, "a secret", christmas)
	if got := f.Error.Error(); got != "BTP error F00 NotAcceptedError" {
		t.Errorf("the error reads %q", got)
	}
}

func drawFrame(t *rapid.T) btp.Frame {
	f := btp.Frame{Type: rapid.SampledFrom([]uint8{1, 2, 6, 7}).Draw(t, "type"), RequestID: rapid.Uint32().Draw(t, "id")}
	name := rapid.StringMatching(`[!-~]{1,20}`)
	for range rapid.IntRange(0, 5).Draw(t, "entries") {
		f.Entries = append(f.Entries, btp.Entry{
			Name: name.Draw(t, "name"), ContentType: rapid.Uint8().Draw(t, "content type"), Data: rapid.SliceOfN(rapid.Byte(), 0, 150).Draw(t, "data"),
		})
	}
	switch f.Type {
	case btp.TypeTransfer:
		f.Amount = amount.Amount(rapid.Uint64().Draw(t, "amount"))
	case btp.TypeError:
		f.Error = btp.Error{
			Code: btp.Code{'X', '0', rapid.ByteRange('0', '9').Draw(t, "code")}, Name: name.Draw(t, "error name"),
			TriggeredAt: time.UnixMilli(rapid.Int64Range(-62167219200000, 253402300799999).Draw(t, "time")).UTC(),
			Data:        rapid.SliceOfN(rapid.Byte(), 0, 150).Draw(t, "error data"),
		}
	}
	return f
}

func TestRoundTrip(t *testing.T) {
	var got btp.Frame // reused, as a link does
	rapid.Check(t, func(t *rapid.T) {
		want := drawFrame(t)
		b, err := want.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		err = got.Decode(b)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func TestAllocations(t *testing.T) {
	packet := make([]byte, 300)
	message := btp.AppendILP(nil, btp.TypeMessage, 1, packet)
	auth := unhex(t, vectors[0].bytes)
	var f btp.Frame
	if n := testing.AllocsPerRun(100, func() { f.Decode(message); f.Decode(auth); f.ILP() }); n != 0 {
		t.Errorf("decoding allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { btp.AppendILP(message[:0], btp.TypeMessage, 1, packet) }); n != 0 {
		t.Errorf("AppendILP into a buffer allocates %v times", n)
	}
	one := testing.AllocsPerRun(100, func() { _ = slices.Grow([]byte(nil), 500) }) // two under the race detector
	if n := testing.AllocsPerRun(100, func() { vectors[5].frame.Append(nil) }); n != one {
		t.Errorf("encoding an Error allocates %v times", n)
	}
}

func FuzzDecode(f *testing.F) {
	for _, vector := range vectors {
		f.Add(unhex(f, vector.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var frame, again btp.Frame
		if frame.Decode(b) != nil {
			return
		}
		canonical, err := frame.Append(nil)
		if errors.Is(err, btp.ErrTooLong) && len(b) > btp.MaxFrame-30 {
			return // an unreadable time was shorter than the zero time that takes its place
		}
		if err != nil {
			t.Fatalf("%x: decoded, but not encoded: %v", b, err)
		}
		err = again.Decode(canonical)
		if diff := cmp.Diff(frame, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	packet := make([]byte, 380)
	message := btp.AppendILP(nil, btp.TypeMessage, 1, packet)
	b.Run("decode", func(b *testing.B) {
		var f btp.Frame
		b.ReportAllocs()
		for b.Loop() {
			if err := f.Decode(message); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			btp.AppendILP(message[:0], btp.TypeMessage, 1, packet)
		}
	})
}

func Example() {
	// The side that dials authenticates first.
	hello := btp.AuthMessage(1, btp.Auth{Username: "alice", Token: "a secret"})
	message, err := hello.Append(nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The side that listens reads it.
	var f btp.Frame
	if err := f.Decode(message); err != nil {
		fmt.Println(err)
		return
	}
	auth, err := btp.ParseAuth(&f)
	fmt.Println(auth.Username, auth.Token == "a secret", err)

	welcome := btp.Frame{Type: btp.TypeResponse, RequestID: f.RequestID}
	answer, err := welcome.Append(nil)
	fmt.Printf("%x %v\n", answer, err)
	// Output:
	// alice true <nil>
	// 0100000001020100 <nil>
}
