package ilphttp

// This file sends packets that were spoiled byte by byte: what is no Prepare is 400 and reaches nobody, and what is one, however
// odd, arrives as it was sent.

import (
	"bytes"
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// spoilt returns an encoded Prepare in which the bytes at an offset of the contents are others. Behind the type and a length of one
// byte they are: amount 0, expiry 8, condition 25, destination 57, and data.
func spoilt(t *testing.T, offset int, with string) []byte {
	t.Helper()
	p := testPrepare()
	b := encode(t, p)
	if b[1] >= 0x80 {
		t.Fatal("the packet is too long for these offsets")
	}
	copy(b[2+offset:], with)
	return b
}

func TestSpoiltPackets(t *testing.T) {
	good := encode(t, testPrepare())
	inside := good[2:]
	for name, body := range map[string][]byte{
		"type 0":                          append([]byte{0}, good[1:]...),
		"type of a Fulfill":               append([]byte{13}, good[1:]...),
		"type 255":                        append([]byte{255}, good[1:]...),
		"type alone":                      {12},
		"no contents":                     {12, 0},
		"a length one too long":           append([]byte{12, good[1] + 1}, inside...),
		"a length inside the data":        append([]byte{12, good[1] - 1}, inside...),
		"a length of 2^32-1":              append([]byte{12, 0x84, 255, 255, 255, 255}, inside...),
		"a length of 2^63":                append([]byte{12, 0x88, 0x80, 0, 0, 0, 0, 0, 0, 0}, inside...),
		"a length of 126 bytes":           append(append([]byte{12, 0xfe}, bytes.Repeat([]byte{255}, 126)...), inside...),
		"a length of no bytes":            append([]byte{12, 0x80}, inside...),
		"a length not canonical":          append([]byte{12, 0x81, good[1]}, inside...),
		"month 13":                        spoilt(t, 8, "20261301000000000"),
		"30 February":                     spoilt(t, 8, "20260230000000000"),
		"hour 24":                         spoilt(t, 8, "20260101240000000"),
		"a leap second":                   spoilt(t, 8, "20261231235960000"),
		"an expiry with a sign":           spoilt(t, 8, "-2260101000000000"),
		"an expiry of spaces":             spoilt(t, 8, strings.Repeat(" ", 17)),
		"an expiry of other digits":       spoilt(t, 8, strings.Repeat("\xd9\xa1", 8)+"0"),
		"a destination past the end":      spoilt(t, 57, "\x7f"),
		"an empty destination":            spoilt(t, 57, "\x00"),
		"a destination with a space":      spoilt(t, 57, "\x0atest alice"),
		"a destination with NUL":          spoilt(t, 57, "\x0atest.al\x00ce"),
		"a destination with a line break": spoilt(t, 57, "\x0atest.a\r\nce"),
		"a destination with two dots":     spoilt(t, 57, "\x0atest..lice"),
		"a destination with a last dot":   spoilt(t, 57, "\x0atest.alic."),
		"a destination with a slash":      spoilt(t, 57, "\x0atest/alice"),
		"data past the end":               spoilt(t, 68, "\x7f"),
		"data of 32,768 bytes":            prepareWith(1, "99991231235959999", "test.alice", 32768),
		"a destination of 1,024":          prepareWith(1, "99991231235959999", "test."+strings.Repeat("a", 1019), 0),
	} {
		t.Run(name, func(t *testing.T) {
			server := newTestServer(t, ServerConfig{Handler: ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
				t.Errorf("a packet arrived: %+v", in)
				return ilpcore.Reply{}
			})})
			w := httptest.NewRecorder()
			server.ServeHTTP(w, post(body, nil))
			if w.Code != 400 || !strings.HasPrefix(w.Body.String(), "the body is not an ILP Prepare: ") {
				t.Errorf("status %d, %q", w.Code, w.Body)
			}
		})
	}
}

func TestOddPackets(t *testing.T) {
	for name, test := range map[string]struct {
		amount      uint64
		expiry      string
		destination string
		data, junk  int
	}{
		"amount 0":             {0, "99991231235959999", "test.alice", 0, 0},
		"amount 2^64-1":        {1<<64 - 1, "99991231235959999", "test.alice", 0, 0},
		"long expired":         {1, "00000101000000000", "test.alice", 0, 0},
		"29 February":          {1, "20280229235959999", "test.alice", 0, 0},
		"the longest address":  {1, "99991231235959999", "test." + strings.Repeat("a", 1018), 0, 0},
		"the longest packet":   {1, "99991231235959999", "test." + strings.Repeat("a", 1018), 32767, 0},
		"junk behind a packet": {1, "99991231235959999", "test.alice", 100, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			var got ilpcore.Incoming
			server := newTestServer(t, ServerConfig{Handler: ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
				got, got.Destination, got.Data = in, bytes.Clone(in.Destination), bytes.Clone(in.Data)
				if time.Now().After(in.ExpiresAt) {
					return ilpcore.Reject(ilpcore.R00, "", "expired", nil) // a Fulfill would not be sent
				}
				return ilpcore.Fulfill(testFulfillment, in.Data)
			})})
			body := append(prepareWith(test.amount, test.expiry, test.destination, test.data), make([]byte, test.junk)...)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, post(body, nil))
			if w.Code != 200 {
				t.Fatalf("status %d, %q", w.Code, w.Body)
			}
			expires, err := ilpcore.ParseTimestamp([]byte(test.expiry))
			if err != nil {
				t.Fatal(err)
			}
			if got.From != "alice" || got.Amount != amount.Amount(test.amount) || !got.ExpiresAt.Equal(expires) ||
				string(got.Destination) != test.destination || len(got.Data) != test.data {
				t.Errorf("%+v arrived", got)
			}
		})
	}
}

// prepareWith encodes by hand what Prepare.Append might refuse.
func prepareWith(n uint64, expiry, destination string, data int) []byte {
	contents := []byte{byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	contents = append(contents, expiry...)
	contents = append(contents, make([]byte, 32)...)
	contents = ilpcore.AppendVarOctets(contents, destination)
	contents = ilpcore.AppendVarOctets(contents, make([]byte, data))
	return ilpcore.AppendVarOctets([]byte{ilpcore.TypePrepare}, contents)
}
