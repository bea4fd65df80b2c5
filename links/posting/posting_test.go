package posting

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/ilpcore"
)

func TestBearerToken(t *testing.T) {
	for name, test := range map[string]struct {
		values []string
		want   string
		ok     bool
	}{
		"bearer":            {[]string{"Bearer a:b"}, "a:b", true},
		"lower case":        {[]string{"bearer a"}, "a", true},
		"no scheme":         {[]string{"a:b"}, "a:b", true},
		"spaces":            {[]string{"Bearer  a "}, "a", true},
		"none":              {nil, "", false},
		"empty":             {[]string{""}, "", false},
		"scheme alone":      {[]string{"Bearer"}, "Bearer", false},
		"scheme and spaces": {[]string{"Bearer  "}, "", false},
		"another scheme":    {[]string{"Basic a"}, "a", false},
		"two":               {[]string{"Bearer a", "Bearer a"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := BearerToken(http.Header{"Authorization": test.values})
			if ok != test.ok || ok && got != test.want {
				t.Errorf("got %q %v, want %q %v", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestReadStaysWithinItsLimit(t *testing.T) {
	long := strings.Repeat("x", 2*step)
	for name, test := range map[string]struct {
		reader io.Reader
		limit  int
		want   error
	}{
		"empty":             {strings.NewReader(""), 0, nil},
		"exactly the limit": {strings.NewReader(long), len(long), nil},
		"byte by byte":      {iotest.OneByteReader(strings.NewReader(long)), len(long), nil},
		"one more":          {strings.NewReader(long), len(long) - 1, ErrTooLarge},
		"without an end":    {neverEnding{}, 10, ErrTooLarge},
		"broken":            {iotest.ErrReader(io.ErrClosedPipe), 10, io.ErrClosedPipe},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read(make([]byte, 3, 7), test.reader, test.limit)
			if !errors.Is(err, test.want) || err == nil && string(got) != long[:test.limit] {
				t.Errorf("%d bytes and %v, want %v", len(got), err, test.want)
			}
			if cap(got) > test.limit+4*step {
				t.Errorf("%d bytes of memory for a limit of %d", cap(got), test.limit)
			}
		})
	}
}

func TestInFlightIsBoundedByAccount(t *testing.T) {
	f := NewInFlight(1)
	first, room := f.Enter("alice")
	if !room {
		t.Error("no room for the first")
	}
	second, room := f.Enter("alice")
	if room {
		t.Error("room for two")
	}
	if _, room := f.Enter("bob"); !room {
		t.Error("no room for another account")
	}
	second.Leave()
	first.Leave()
	if _, room := f.Enter("alice"); !room {
		t.Error("no room after the others left")
	}
}

// A peer that goes away and comes back is logged twice, however many packets there are.
// TestHealthSaysWhatAStatusMeans tells an operator where to look.
func TestHealthSaysWhatAStatusMeans(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusUnauthorized:     "it answered with HTTP status 401: it does not know the token",
		http.StatusForbidden:        "it answered with HTTP status 403: it does not know the token",
		http.StatusNotFound:         "it answered with HTTP status 404: packets are not taken at that URL",
		http.StatusMethodNotAllowed: "it answered with HTTP status 405: packets are not taken at that URL",
		http.StatusBadGateway:       "it answered with HTTP status 502",
	} {
		h := NewHealth(zap.NewNop())
		h.NoteStatus(status)
		if err := h.Err(); err == nil || err.Error() != want {
			t.Errorf("%d is %v, not %q", status, err, want)
		}
	}
}

func TestHealthLogsChanges(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	h := NewHealth(zap.New(core))
	if h.Up() || h.Err() != nil {
		t.Error("something is known before the first packet")
	}
	h.Note(nil)
	for range 3 {
		h.NoteStatus(http.StatusBadGateway)
	}
	if h.Up() || h.Err() == nil {
		t.Error("a peer that fails counts as up")
	}
	for range 3 {
		h.NoteStatus(http.StatusBadRequest)
	}
	if !h.Up() || h.Err() != nil {
		t.Errorf("a peer that answers counts as down: %v", h.Err())
	}
	if logs.Len() != 3 {
		t.Errorf("%d lines", logs.Len())
	}
	if reply := h.Failed(context.Background(), errors.New("refused")); reply.Code != ilpcore.T01 || h.Up() {
		t.Errorf("unreachable: %+v, up %v", reply, h.Up())
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if reply := h.Failed(ended, context.Canceled); reply.Code != ilpcore.R00 {
		t.Errorf("given up: %+v", reply)
	}
}

func TestWriteTellsWhetherTheClientIsThere(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	w := httptest.NewRecorder()
	if !Write(w, r, http.StatusTeapot, []byte("x")) || w.Code != http.StatusTeapot || w.Body.String() != "x" {
		t.Errorf("written: %d %q", w.Code, w.Body)
	}
	if Write(httptest.NewRecorder(), r.WithContext(ended), http.StatusOK, nil) {
		t.Error("a client that has left counts as reached")
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }
