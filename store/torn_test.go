package store

// This file tests the difference between a group that a crash tore and one that was damaged later, while the sidecar is not settled.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// busyStore is a copy of a store as it was with its last group just committed. It returns the used part of its log, and where in it the last
// group begins and ends.
func busyStore(t *testing.T) (base string, log []byte, from, end int, want string) {
	t.Helper()
	dir := newDir(t)
	s := mustOpen(t, dir, Options{})
	for i := range 3 {
		ticket, err := s.Join(func(g *Group) {
			for k := range 10 {
				g.Put(fmt.Append(nil, "k", k), bytes.Repeat([]byte{byte(i + 1)}, 200))
			}
		})
		if err != nil || ticket.Wait(context.Background()) != nil {
			t.Fatal(err)
		}
	}
	waitUntilQuiet(t, dir)
	base, want = copyDir(t, dir), contents(t, s)
	mustClose(t, s)
	b, err := os.ReadFile(filepath.Join(base, databaseDir, "00001.mem"))
	if err != nil {
		t.Fatal(err)
	}
	log = used(b)
	for end = logHeader; end < len(log); {
		from, end = end, end+nextTransaction(log[end:], 0)+logHeader
	}
	unsettle(t, base, log)
	return base, log, from, end, want
}

// unsettle takes the sidecar back to where it says that the last group of the log is under way.
func unsettle(t *testing.T, dir string, log []byte) {
	t.Helper()
	var last head
	walkLog(log, func(entries []logEntry) {
		for _, e := range entries {
			if string(e.key) == headKey {
				last, _ = decodeHead(e.value)
			}
		}
	})
	said, found, _, err := readSidecar(dir)
	if err != nil || !found || said.acknowledged != last.sequence {
		t.Fatal(said, found, err)
	}
	said.acknowledged, said.acknowledgedHash = last.sequence-1, last.previous
	if err := createSidecar(dir, said); err != nil {
		t.Fatal(err)
	}
}

func TestP10AFlipInTheLastGroupIsNoTornWrite(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine, many directories")
	}
	base, log, from, end, want := busyStore(t)
	open := func(changed []byte) (string, error) {
		dir := quickDir(t)
		copyTo(t, base, dir)
		if err := os.WriteFile(filepath.Join(dir, databaseDir, "00001.mem"), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), dir, Options{MinFree: 1})
		if err != nil {
			return "", err
		}
		defer s.Close()
		return contents(t, s), nil
	}
	random := rand.New(rand.NewPCG(5, 5))
	for at := from; at < end-60; at += 97 { // the end of the transaction is what a torn one lacks
		if got, err := open(flip(log, at, random)); !errors.Is(err, ErrLost) {
			t.Errorf("flip at %d of %d to %d: %v, the same: %v", at, from, end, err, got == want)
		}
	}
	lost := bytes.Clone(log)
	sector := (from/512 + 1) * 512
	clear(lost[sector : sector+512])
	for name, changed := range map[string][]byte{"a sector did not arrive": lost, "it was cut": log[:end-100], "it was not begun": log[:from]} {
		if got, err := open(changed); err != nil || got == want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := open(log); err != nil || got != want {
		t.Error(err)
	}
}
