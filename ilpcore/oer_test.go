package ilpcore_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
	"pgregory.net/rapid"
)

// unhex reads hexadecimal digits with spaces between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReaderVarOctets(t *testing.T) {
	zeros := strings.Repeat("00", 300)
	tests := []struct {
		name, in string
		length   int
		err      error
	}{
		{"empty string", "00", 0, nil},
		{"short", "03 010203", 3, nil},
		{"longest short", "7f" + zeros, 127, nil},
		{"shortest long", "8180" + zeros, 128, nil},
		{"one length byte", "8182" + zeros, 130, nil},
		{"two length bytes", "820100" + zeros, 256, nil},
		{"nothing", "", 0, ilpcore.ErrTruncated},
		{"short cut off", "03 0102", 0, ilpcore.ErrTruncated},
		{"no length bytes", "80", 0, ilpcore.ErrLength},
		{"127 in long form", "817f" + zeros, 0, ilpcore.ErrLength},
		{"leading zero", "820080" + zeros, 0, ilpcore.ErrLength},
		{"length cut off", "8201", 0, ilpcore.ErrTruncated},
		{"beyond the end", "820200" + zeros, 0, ilpcore.ErrTruncated},
		{"64 bits", "88ac01055a1debac1e" + zeros, 0, ilpcore.ErrTruncated},
		{"all ones", "88ffffffffffffffff" + zeros, 0, ilpcore.ErrTruncated},
		{"72 bits", "89010000000000000000" + zeros, 0, ilpcore.ErrTruncated},
		{"127 length bytes", "ff01" + zeros, 0, ilpcore.ErrTruncated},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := ilpcore.NewReader(unhex(t, test.in))
			got := r.VarOctets()
			if r.Err() != test.err || len(got) != test.length {
				t.Fatalf("got %d bytes, %v", len(got), r.Err())
			}
			if test.err != nil && (r.Len() != 0 || r.Uint8() != 0 || r.Err() != test.err) {
				t.Error("the reader went on after an error")
			}
		})
	}
}

func TestReaderVarUint(t *testing.T) {
	tests := []struct {
		name, in   string
		want       uint64
		err        error
		saturating uint64 // what VarUintSaturating gives
		failing    error
	}{
		{"zero", "0100", 0, nil, 0, nil},
		{"255", "01ff", 255, nil, 255, nil},
		{"256", "020100", 256, nil, 256, nil},
		{"largest", "08ffffffffffffffff", math.MaxUint64, nil, math.MaxUint64, nil},
		{"leading zeros", "0400000007", 7, nil, 7, nil},
		{"empty", "00", 0, ilpcore.ErrVarUint, 0, ilpcore.ErrVarUint},
		{"9 bytes", "09010000000000000000", 0, ilpcore.ErrVarUint, math.MaxUint64, nil},
		{"9 bytes, one zero", "09000000000000000005", 0, ilpcore.ErrVarUint, 5, nil},
		{"cut off", "0201", 0, ilpcore.ErrTruncated, 0, ilpcore.ErrTruncated},
		{"one byte missing", "01", 0, ilpcore.ErrTruncated, 0, ilpcore.ErrTruncated},
		{"long form length", "810101", 0, ilpcore.ErrLength, 0, ilpcore.ErrLength},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := ilpcore.NewReader(unhex(t, test.in))
			if got := r.VarUint(); got != test.want || r.Err() != test.err {
				t.Errorf("VarUint: got %d, %v", got, r.Err())
			}
			r = ilpcore.NewReader(unhex(t, test.in))
			if got := r.VarUintSaturating(); got != test.saturating || r.Err() != test.failing {
				t.Errorf("VarUintSaturating: got %d, %v", got, r.Err())
			}
		})
	}
}

func TestReaderFixed(t *testing.T) {
	r := ilpcore.NewReader(unhex(t, "00 1234 ababABAB ac01055a1debac1e 0102 ff"))
	if r.Uint8() != 0 || r.Uint16() != 4660 || r.Uint32() != 2880154539 || r.Uint64() != 12394193534107495454 {
		t.Error("a fixed integer is read wrongly")
	}
	if b := r.Bytes(2); !bytes.Equal(b, []byte{1, 2}) || cap(b) != 2 {
		t.Errorf("got %x with capacity %d", b, cap(b))
	}
	if r.Len() != 1 || !bytes.Equal(r.Rest(), []byte{0xff}) || r.Err() != nil {
		t.Errorf("%x is left, %v", r.Rest(), r.Err())
	}
	if r.Bytes(-1) != nil || r.Err() != ilpcore.ErrTruncated {
		t.Error("a negative size is taken")
	}
	for _, read := range []func(*ilpcore.Reader){
		func(r *ilpcore.Reader) { r.Uint8() },
		func(r *ilpcore.Reader) { r.Uint8(); r.Uint16() },
		func(r *ilpcore.Reader) { r.Uint32() },
		func(r *ilpcore.Reader) { r.Uint64() },
	} {
		var r ilpcore.Reader
		if read(&r); r.Err() != ilpcore.ErrTruncated {
			t.Errorf("reading from nothing: %v", r.Err())
		}
	}
}

func TestOERRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "integer")
		octets := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "octets")
		length := rapid.IntRange(0, math.MaxInt32).Draw(t, "length")
		b := ilpcore.AppendVarUint(nil, n)
		if len(b) != ilpcore.VarUintSize(n) {
			t.Fatalf("VarUintSize(%d) is not %d", n, len(b))
		}
		b = ilpcore.AppendVarOctets(b, octets)
		if len(b) != ilpcore.VarUintSize(n)+ilpcore.VarOctetsSize(len(octets)) {
			t.Fatal("VarOctetsSize is wrong")
		}
		if len(ilpcore.AppendLength(nil, length)) != ilpcore.LengthSize(length) {
			t.Fatalf("LengthSize(%d) is wrong", length)
		}
		r := ilpcore.NewReader(b)
		if got := r.VarUint(); got != n {
			t.Fatalf("%d came back as %d", n, got)
		}
		if got := r.VarOctets(); !bytes.Equal(got, octets) || r.Err() != nil || r.Len() != 0 {
			t.Fatalf("%x came back as %x, %v", octets, got, r.Err())
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{0x82, 0x01, 0x00, 0x08, 0xff}, []byte{0, 1})
	f.Fuzz(func(t *testing.T, b, calls []byte) {
		r := ilpcore.NewReader(b)
		for _, call := range calls {
			before := r.Len()
			switch call % 7 {
			case 0:
				if got := r.VarOctets(); r.Err() == nil {
					// What was read is the canonical form: appending gives the same bytes.
					read := b[len(b)-before : len(b)-r.Len()]
					if !bytes.Equal(ilpcore.AppendVarOctets(nil, got), read) {
						t.Fatalf("%x is not canonical", read)
					}
				}
			case 1:
				r.VarUint()
			case 2:
				r.VarUintSaturating()
			case 3:
				r.Uint8()
			case 4:
				r.Uint32()
			case 5:
				r.Uint64()
			case 6:
				r.Bytes(int(call))
			}
			if r.Len() > before || (r.Err() != nil && r.Len() != 0) {
				t.Fatalf("%d bytes became %d, %v", before, r.Len(), r.Err())
			}
		}
	})
}
