package ilphttp

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// canned answers every request with the same packet.
type canned []byte

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(c)), Request: r}, nil
}

// BenchmarkClient counts what a packet costs in the client, without the HTTP below it.
func BenchmarkClient(b *testing.B) {
	fulfill := ilpcore.Fulfill(testFulfillment, make([]byte, 80))
	answer, err := fulfill.Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	c, err := NewClient(ClientConfig{Endpoint: "http://localhost/ilp", Token: testToken, Transport: canned(answer)})
	if err != nil {
		b.Fatal(err)
	}
	p := testPrepare()
	p.ExpiresAt = time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if reply := c.HandlePrepare(b.Context(), ilpcore.Incoming{Prepare: p}); !reply.Fulfilled {
			b.Fatal(reply)
		}
	}
}
