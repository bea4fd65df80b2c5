package btp_test

import (
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/btp"
)

// The examples of RFC 30, section "Variable-length Timestamps", and what we take beyond them.
func TestParseTime(t *testing.T) {
	valid := map[string]string{
		"20171224161432.279Z":       "2017-12-24T16:14:32.279Z",
		"20171224161432.27Z":        "2017-12-24T16:14:32.27Z",
		"20171224161432.2Z":         "2017-12-24T16:14:32.2Z",
		"20171224161432Z":           "2017-12-24T16:14:32Z",
		"20161231235960.852Z":       "2017-01-01T00:00:00.852Z",
		"20171225000000Z":           "2017-12-25T00:00:00Z",
		"99991224161432.279Z":       "9999-12-24T16:14:32.279Z",
		"20171224161432.200Z":       "2017-12-24T16:14:32.2Z",
		"20171224161432.000Z":       "2017-12-24T16:14:32Z",
		"20171224161432.279999999Z": "2017-12-24T16:14:32.279Z",
	}
	for in, want := range valid {
		got, err := btp.ParseTime([]byte(in))
		if err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
	invalid := []string{
		"20171224235312.431+0200", "20171224161432,279Z", "20171324161432.279Z", "20171224230000.Z", "20171224240000Z", "2017122421531Z",
		"201712242153Z", "2017122421Z", "", "Z", "20171224161432", "20171224161432.279", "20171224161432.2799999999Z", "20171224161461Z",
		"2017122416143aZ", "20171224161432.2 Z", "20171224161432.27xZ", "201712241614322Z", "99991231235960Z",
	}
	for _, in := range invalid {
		if got, err := btp.ParseTime([]byte(in)); err != ilpcore.ErrTimestamp || !got.IsZero() {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
}

func TestAppendTime(t *testing.T) {
	tests := map[string]time.Time{
		"20171224161432.200Z": christmas,
		"20171224161432.000Z": christmas.Truncate(time.Second),
		"20171224161432.279Z": christmas.Add(79999999).In(time.FixedZone("east", 7200)),
		"00010101000000.000Z": {},
	}
	for want, at := range tests {
		if got, err := btp.AppendTime([]byte("at "), at); err != nil || string(got) != "at "+want {
			t.Errorf("%v: %s, %v", at, got, err)
		}
	}
	if out, err := btp.AppendTime([]byte("x"), christmas.AddDate(9000, 0, 0)); err != ilpcore.ErrTimestamp || string(out) != "x" {
		t.Errorf("%s, %v", out, err)
	}
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"20171224161432.279Z", "20161231235960.8Z", "20171224161432Z"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at, err := btp.ParseTime(b)
		if err != nil {
			return
		}
		out, err := btp.AppendTime(nil, at)
		if err != nil || len(out) != 19 {
			t.Fatalf("%s became %s, %v", b, out, err)
		}
		if back, err := btp.ParseTime(out); err != nil || !back.Equal(at) {
			t.Fatalf("%s came back as %v, %v", b, back, err)
		}
	})
}
