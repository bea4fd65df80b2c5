package ilpcore_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/paydoor/paydoor/ilpcore"
	"pgregory.net/rapid"
)

// The bytes were made by the npm package ilp-packet; the ILDCP reply was recorded on a live link.
func TestReplyVectors(t *testing.T) {
	tests := []struct {
		name, bytes string
		reply       ilpcore.Reply
	}{
		{
			"Fulfill", "0d2a 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20 09 7468616e6b20796f75",
			ilpcore.Fulfill(largest.Condition, []byte("thank you")),
		},
		{
			"ILDCP", "0d36" + strings.Repeat("00", 32) + "15 0f 746573742e636f6e6e2e7268747470 09 03 555344",
			ilpcore.Fulfill(ilpcore.PeerFulfillment, []byte("\x0ftest.conn.rhttp\x09\x03USD")),
		},
		{
			"Reject", "0e56 463030 12 672e75732e6e657875732e67617465776179 20 6d6f72652064657461696c732c2068756d616e2d7265616461626c653a20c3a9" +
				"1e 6d6f72652064657461696c732c206d616368696e652d7265616461626c65",
			ilpcore.Reject(ilpcore.F00, "g.us.nexus.gateway", "more details, human-readable: é", []byte("more details, machine-readable")),
		},
		{"empty Reject", "0e06 543033 00 00 00", ilpcore.Reject(ilpcore.T03, "", "", []byte{})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := unhex(t, test.bytes)
			got, err := ilpcore.DecodeReply(b)
			if diff := cmp.Diff(test.reply, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			if out, err := test.reply.Append(nil); err != nil || !bytes.Equal(out, b) {
				t.Errorf("encoded %x, %v", out, err)
			}
			if _, err := ilpcore.DecodeReply(append(b, 0xff, 0)); err != nil {
				t.Errorf("with bytes after it: %v", err)
			}
		})
	}
}

// The digest is that of the same packet made by the npm package ilp-packet.
func TestLargestReject(t *testing.T) {
	reject := ilpcore.Reject(ilpcore.T03, string(largest.Destination), strings.Repeat("m", ilpcore.MaxMessage), largest.Data)
	b, err := reject.Append(nil)
	if err != nil || len(b) != ilpcore.MaxReplyLength {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != "090c515ca12791334e2aae3d06a31353a642f840d12822d8c0d0310f1f2fb655" {
		t.Errorf("the digest is %s", got)
	}
}

func TestDecodeReplyTolerates(t *testing.T) {
	tests := []struct{ name, in, code, triggeredBy, message string }{
		{"an unregistered code", "0e06 503030 00 00 00", "P00", "", ""},
		{"triggeredBy that is no address", "0e09 543030 03 612f62 00 00", "T00", "a/b", ""},
		{"a message that is not UTF-8", "0e09 543030 00 03 61ff62 00", "T00", "", "a?b"},
		{"bytes after the last field", "0e08 543030 00 00 00 ffff", "T00", "", ""},
	}
	for _, test := range tests {
		got, err := ilpcore.DecodeReply(unhex(t, test.in))
		if err != nil || got.Code.String() != test.code || got.TriggeredBy != test.triggeredBy || got.Message != test.message {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
}

func TestDecodeReplyRefuses(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("00", n) }
	tests := []struct {
		name, in string
		err      error
	}{
		{"nothing", "", ilpcore.ErrTruncated},
		{"a Prepare", "0c43" + minimal, ilpcore.ErrType},
		{"short fulfillment", "0d1f" + zeros(31), ilpcore.ErrTruncated},
		{"no data field", "0d20" + zeros(32), ilpcore.ErrTruncated},
		{"Fulfill with long data", "0d828023" + zeros(32) + "828000" + zeros(32768), ilpcore.ErrDataTooLong},
		{"Reject cut off", "0e05 543030 00 00", ilpcore.ErrTruncated},
		{"code with a space", "0e06 542030 00 00 00", ilpcore.ErrCode},
		{"line break in triggeredBy", "0e09 543030 03 610a62 00 00", ilpcore.ErrTriggeredBy},
		{"long triggeredBy", "0e820408 543030 820400" + strings.Repeat("61", 1024) + "00 00", ilpcore.ErrTriggeredBy},
		{"long message", "0e822008 543030 00 822000" + zeros(8192) + "00", ilpcore.ErrMessageTooLong},
		{"Reject with long data", "0e828008 543030 00 00 828000" + zeros(32768), ilpcore.ErrDataTooLong},
	}
	for _, test := range tests {
		got, err := ilpcore.DecodeReply(unhex(t, test.in))
		if err != test.err || !cmp.Equal(got, ilpcore.Reply{}) {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
}

func TestAppendReplyRefuses(t *testing.T) {
	tests := []struct {
		name  string
		reply ilpcore.Reply
		err   error
	}{
		{"Fulfill with long data", ilpcore.Fulfill([32]byte{}, make([]byte, 32768)), ilpcore.ErrDataTooLong},
		{"Reject with long data", ilpcore.Reject(ilpcore.F00, "", "", make([]byte, 32768)), ilpcore.ErrDataTooLong},
		{"no code", ilpcore.Reply{}, ilpcore.ErrCode},
		{"triggeredBy", ilpcore.Reject(ilpcore.F00, "two words", "", nil), ilpcore.ErrTriggeredBy},
		{"message", ilpcore.Reject(ilpcore.F00, "", strings.Repeat("m", 8192), nil), ilpcore.ErrMessageTooLong},
	}
	for _, test := range tests {
		if out, err := test.reply.Append([]byte("x")); err != test.err || string(out) != "x" {
			t.Errorf("%s: %q, %v", test.name, out, err)
		}
	}
}

func TestReplyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := ilpcore.Reply{Data: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data")}
		if rapid.Bool().Draw(t, "fulfilled") {
			want.Fulfilled = true
			want.Fulfillment = [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "fulfillment"))
		} else {
			want.Code = rapid.SampledFrom([]ilpcore.Code{ilpcore.F02, ilpcore.T99, ilpcore.R00, {'X', '1', '2'}}).Draw(t, "code")
			want.TriggeredBy = rapid.SampledFrom([]string{"", drawAddress(t)}).Draw(t, "triggeredBy")
			want.Message = rapid.StringN(0, 40, 200).Draw(t, "message")
		}
		b, err := want.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ilpcore.DecodeReply(b)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func TestReplyAllocations(t *testing.T) {
	fulfill := ilpcore.Fulfill([32]byte{1}, make([]byte, 50))
	b, _ := fulfill.Append(nil)
	if n := testing.AllocsPerRun(100, func() { ilpcore.DecodeReply(b) }); n != 0 {
		t.Errorf("decoding a Fulfill allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { fulfill.Append(b[:0]) }); n != 0 {
		t.Errorf("encoding a Fulfill into a buffer allocates %v times", n)
	}
	reject := ilpcore.Reject(ilpcore.F99, "test.abc", "a message", make([]byte, 50))
	if n := testing.AllocsPerRun(100, func() { reject.Append(nil) }); n != oneAllocation() {
		t.Errorf("encoding a Reject allocates %v times", n)
	}
}

func FuzzDecodeReply(f *testing.F) {
	f.Add(unhex(f, "0d2a 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20 09 7468616e6b20796f75"))
	f.Add(unhex(f, "0e10 463938 04 672e7573 03 61ffc3 03 010203 ff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ilpcore.DecodeReply(b)
		if err != nil {
			return
		}
		if !utf8.ValidString(r.Message) {
			t.Fatalf("the message %q is not UTF-8", r.Message)
		}
		canonical, err := r.Append(nil)
		if err != nil {
			t.Fatalf("%x: decoded, but not encoded: %v", b, err)
		}
		if len(canonical) > len(b) || len(canonical) > ilpcore.MaxReplyLength {
			t.Fatalf("%x became longer: %x", b, canonical)
		}
		again, err := ilpcore.DecodeReply(canonical)
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func BenchmarkReply(b *testing.B) {
	fulfill := ilpcore.Fulfill([32]byte{1}, make([]byte, 50))
	packet, err := fulfill.Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ilpcore.DecodeReply(packet)
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fulfill.Append(packet[:0])
		}
	})
}
