package ilpheaders

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// slowWriter gives a write up while it is still under way, as HTTP/2 does when the client resets the stream.
type slowWriter struct {
	http.ResponseWriter
	kept []byte
}

func (s *slowWriter) Write(b []byte) (int, error) {
	s.kept = b
	return 0, errors.New("reset")
}

// What a writer that has failed may still be sending is not the memory of the next packet, which is another neighbour's.
func TestAnAnswerThatFailedIsLeftAlone(t *testing.T) {
	server := newTestServer(t, ServerConfig{})
	with := func(data string) *http.Request {
		return post(func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(data)), int64(len(data))
		})
	}
	for range 20 {
		w := &slowWriter{ResponseWriter: httptest.NewRecorder()}
		server.ServeHTTP(w, with("mine"))
		before := bytes.Clone(w.kept)
		server.ServeHTTP(httptest.NewRecorder(), with("your"))
		if string(before) != "mine" || !bytes.Equal(w.kept, before) {
			t.Fatalf("%q became %q", before, w.kept)
		}
	}
}
