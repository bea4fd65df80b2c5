package ilphttp

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
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

// What a writer that has failed may still be sending is not the memory of the next answer, which is another neighbour's.
func TestAnAnswerThatFailedIsLeftAlone(t *testing.T) {
	server := newTestServer(t, ServerConfig{})
	prepare := testPrepare()
	for range 20 {
		w := &slowWriter{ResponseWriter: httptest.NewRecorder()}
		prepare.Data = []byte("mine")
		server.ServeHTTP(w, post(encode(t, prepare), nil))
		before := bytes.Clone(w.kept)
		prepare.Data = []byte("your")
		server.ServeHTTP(httptest.NewRecorder(), post(encode(t, prepare), nil))
		if len(before) == 0 || !bytes.Equal(w.kept, before) {
			t.Fatalf("%q became %q", before, w.kept)
		}
	}
}
