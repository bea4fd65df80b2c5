package ilpcore_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"pgregory.net/rapid"
)

// The examples of RFC 30, section "Fixed-length Timestamps", and the edges of the calendar.
func TestParseTimestamp(t *testing.T) {
	valid := map[string]string{
		"20171224161432279": "2017-12-24T16:14:32.279Z",
		"20171224161432270": "2017-12-24T16:14:32.27Z",
		"20171224161432200": "2017-12-24T16:14:32.2Z",
		"20171224161432000": "2017-12-24T16:14:32Z",
		"20161231235959852": "2016-12-31T23:59:59.852Z",
		"20171225000000000": "2017-12-25T00:00:00Z",
		"99991224161432279": "9999-12-24T16:14:32.279Z",
		"00000101000000000": "0000-01-01T00:00:00Z",
		"20000229000000000": "2000-02-29T00:00:00Z",
		"20240229000000000": "2024-02-29T00:00:00Z",
	}
	for in, want := range valid {
		got, err := ilpcore.ParseTimestamp([]byte(in))
		if err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
		if back, err := ilpcore.AppendTimestamp(nil, got); err != nil || string(back) != in {
			t.Errorf("%s came back as %s, %v", in, back, err)
		}
	}
	invalid := []string{
		"20171224235312.431+0200", "201712242153124318", "20171324161432200", "20171224230000000.", "20171224240000000",
		"20171224215300", "2017122421531", "201712242153", "2017122421", "20161231235960852", "",
		"20170024161432200", "20171200161432200", "20171232161432200", "20170431000000000", "20170229000000000", "19000229000000000",
		"20171224236000000", "2017122416143227a", " 2017122416143227", "+2017122416143227", "2017122416143227/", "2017122416143227:",
	}
	for _, in := range invalid {
		if got, err := ilpcore.ParseTimestamp([]byte(in)); err != ilpcore.ErrTimestamp || !got.IsZero() {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
}

func TestAppendTimestamp(t *testing.T) {
	east := time.FixedZone("east", 2*3600)
	got, err := ilpcore.AppendTimestamp([]byte("at "), time.Date(2017, 12, 25, 1, 14, 32, 279999999, east))
	if err != nil || string(got) != "at 20171224231432279" {
		t.Errorf("got %s, %v", got, err)
	}
	for _, year := range []int{-1, 10000} {
		out, err := ilpcore.AppendTimestamp([]byte("x"), time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))
		if err != ilpcore.ErrTimestamp || string(out) != "x" {
			t.Errorf("year %d: %s, %v", year, out, err)
		}
	}
}

// Go's own calendar is the other opinion.
func TestTimestampAgainstTimePackage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(-62167219200, 253402300799).Draw(t, "seconds")
		milli := rapid.Int64Range(0, 999).Draw(t, "milli")
		at := time.Unix(seconds, milli*int64(time.Millisecond)).UTC()
		got, err := ilpcore.AppendTimestamp(nil, at)
		if want := at.Format("20060102150405.000"); err != nil || string(got) != want[:14]+want[15:] {
			t.Fatalf("%v: got %s, %v", at, got, err)
		}
		back, err := ilpcore.ParseTimestamp(got)
		if err != nil || !back.Equal(at) {
			t.Fatalf("%s came back as %v, %v", got, back, err)
		}
	})
}

func FuzzParseTimestamp(f *testing.F) {
	f.Add([]byte("20171224161432279"))
	f.Add([]byte("20240229235959999"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ilpcore.ParseTimestamp(b)
		if err == nil {
			if back, err := ilpcore.AppendTimestamp(nil, got); err != nil || string(back) != string(b) {
				t.Fatalf("%s came back as %s, %v", b, back, err)
			}
		}
		if len(b) != ilpcore.TimestampLength || bytes.ContainsFunc(b, func(r rune) bool { return r < '0' || r > '9' }) {
			if err == nil {
				t.Fatalf("%q is taken", b)
			}
			return
		}
		if _, other := time.Parse("20060102150405.000", string(b[:14])+"."+string(b[14:])); (other == nil) != (err == nil) {
			t.Fatalf("%q: %v, the time package says %v", b, err, other)
		}
	})
}
