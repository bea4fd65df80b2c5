//go:build linux

package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// written is how much of the file's first part has been written, since the test writes no zeros there.
func written(t *testing.T) int {
	t.Helper()
	f, err := os.Open(recordsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var text [4096]byte
	if _, err := io.ReadFull(f, text[:]); err != nil {
		t.Fatal(err)
	}
	return len(bytes.TrimRight(text[:], "\x00"))
}

// headSeen is a client's connection that looks at the file at the moment it gets the head of an answer.
type headSeen struct {
	*httptest.ResponseRecorder
	look func()
}

func (w *headSeen) WriteHeader(status int) {
	w.look()
	w.ResponseRecorder.WriteHeader(status)
}

func TestAnswersWaitForTheirRecord(t *testing.T) {
	t.Chdir(t.TempDir())
	s := new(synced)
	if err := s.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	for i := range recordSize { // a mark in the first record, that of nobody
		s.records = append(s.records, byte(i+1))
	}
	s.mu.Unlock()
	w := &headSeen{httptest.NewRecorder(), func() {
		if n := written(t); n != recordSize {
			t.Errorf("the head goes out with %d bytes on disk", n)
		}
	}}
	page := caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusTeapot)
		return nil
	})
	if err := s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil), page); err != nil {
		t.Error(err)
	}
	if w.Code != http.StatusTeapot {
		t.Errorf("status %d", w.Code)
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if err := s.wait(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := s.Cleanup(); err != nil {
		t.Error(err)
	}
	if err := s.file.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file is left open: %v", err)
	}
}

func TestForwarded(t *testing.T) {
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/there" {
			t.Errorf("%s %s, %v", r.Method, r.URL, err)
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(bytes.ToUpper(body)) // the other side notices
	}))
	defer far.Close()
	f := &forwarded{To: far.URL + "/there"}
	if err := f.Provision(caddy.Context{}); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"a packet", strings.Repeat("x", 3000), ""} {
		w := httptest.NewRecorder()
		if err := f.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), nil); err != nil {
			t.Error(err)
		}
		if w.Code != http.StatusAccepted || w.Body.String() != strings.ToUpper(body) {
			t.Errorf("%d %.20q", w.Code, w.Body)
		}
	}
	if err := f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", io.MultiReader()), nil); err == nil {
		t.Error("a body of unknown length is taken")
	}
	if err := f.Cleanup(); err != nil {
		t.Error(err)
	}
	if err := (&forwarded{To: "https://127.0.0.1/"}).Provision(caddy.Context{}); err == nil {
		t.Error("https is taken")
	}
}
