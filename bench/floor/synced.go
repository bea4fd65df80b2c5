//go:build linux

package main

// This file is a charge on delivery without a ledger: before an answer's head goes out, a record is on disk, in one sync with those of all
// who wait.

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/sys/unix"
)

const (
	recordsFile = "records" // in the working directory
	recordSize  = 64        // about what a charge takes in Paydoor's journal
	reserved    = 256 << 20 // of the file, so that no sync has to write its size
)

func init() {
	caddy.RegisterModule(new(synced))
	httpcaddyfile.RegisterHandlerDirective("synced", func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) { return new(synced), nil })
	httpcaddyfile.RegisterDirectiveOrder("synced", httpcaddyfile.Before, "reverse_proxy")
}

// synced is the handler.
type synced struct {
	file *os.File
	wake chan struct{} // has an element when somebody waits
	stop chan struct{}
	done chan struct{} // closed when nothing writes any more

	mu      sync.Mutex
	records []byte
	waiting []chan error
}

var (
	_ caddy.Provisioner           = (*synced)(nil)
	_ caddy.CleanerUpper          = (*synced)(nil)
	_ caddyhttp.MiddlewareHandler = (*synced)(nil)
)

func (*synced) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.synced", New: func() caddy.Module { return new(synced) }}
}

func (s *synced) Provision(caddy.Context) (err error) {
	if s.file, err = os.Create(recordsFile); err != nil {
		return err
	}
	if err := unix.Fallocate(int(s.file.Fd()), 0, 0, reserved); err != nil {
		return errors.Join(fmt.Errorf("reserving %s: %w", recordsFile, err), s.file.Close())
	}
	s.wake, s.stop, s.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go s.run()
	return nil
}

func (s *synced) Cleanup() error {
	if s.done == nil { // Provision failed
		return nil
	}
	close(s.stop)
	<-s.done
	return s.file.Close()
}

func (s *synced) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	return next.ServeHTTP(&syncedWriter{&caddyhttp.ResponseWriterWrapper{ResponseWriter: w}, s}, r)
}

// syncedWriter holds back the head of a final answer.
type syncedWriter struct {
	*caddyhttp.ResponseWriterWrapper
	synced *synced
}

func (w *syncedWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		if err := w.synced.wait(); err != nil {
			status = http.StatusInternalServerError
		}
	}
	w.ResponseWriterWrapper.WriteHeader(status)
}

// wait returns when a record is on disk.
func (s *synced) wait() error {
	done := make(chan error, 1)
	s.mu.Lock()
	s.records = append(s.records, make([]byte, recordSize)...)
	s.waiting = append(s.waiting, done)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return <-done
}

// run writes and syncs what has gathered meanwhile.
func (s *synced) run() {
	defer close(s.done)
	at := int64(0)
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
		}
		s.mu.Lock()
		records, waiting := s.records, s.waiting
		s.records, s.waiting = nil, nil
		s.mu.Unlock()
		_, err := s.file.WriteAt(records, at%(reserved/2)) // what is written over is of no use to anybody
		if err == nil {
			err = unix.Fdatasync(int(s.file.Fd()))
		}
		at += int64(len(records))
		for _, done := range waiting {
			done <- err
		}
	}
}
