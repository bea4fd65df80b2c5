//go:build linux

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// Each mutation changes exactly one file of a copy, and the same seed changes the same.
func TestMutationsDamageOneFile(t *testing.T) {
	base := t.TempDir()
	original, older := filepath.Join(base, "original"), filepath.Join(base, "older")
	for i, dir := range []string{original, older} {
		if err := os.MkdirAll(filepath.Join(dir, "ledger", "db"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"sidecar", "db/MANIFEST", "db/00001.mem", "db/000001.sst"} {
			content := append(bytes.Repeat([]byte{byte(i + 1)}, 10_000), make([]byte, 5000)...)
			if err := os.WriteFile(filepath.Join(dir, "ledger", name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for seed := range uint64(200) {
		var said [2]string
		for i := range said {
			damaged := filepath.Join(base, "damaged")
			if err := copyDirectory(original, damaged); err != nil {
				t.Fatal(err)
			}
			var err error
			if said[i], err = (mutator{rand.New(rand.NewPCG(seed, 1)), older}).mutate(damaged); err != nil {
				t.Fatal(err)
			}
			changed := 0
			for _, name := range []string{"sidecar", "db/MANIFEST", "db/00001.mem", "db/000001.sst"} {
				is, _ := os.ReadFile(filepath.Join(damaged, "ledger", name)) // it may have been deleted
				was, err := os.ReadFile(filepath.Join(original, "ledger", name))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(is, was) {
					changed++
				}
			}
			if changed != 1 && said[i] != "ledger/db as it was earlier" {
				t.Errorf("seed %d: %q has changed %d files", seed, said[i], changed)
			}
			if err := os.RemoveAll(damaged); err != nil {
				t.Fatal(err)
			}
		}
		if said[0] != said[1] {
			t.Errorf("seed %d: %q, then %q", seed, said[0], said[1])
		}
	}
}

func TestInjectedFailuresAreFoundInTheTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	text := "4711  1795235127.590787 msync(0x7f, 4096, MS_SYNC) = 0\n" +
		"4712  1795235127.590999 msync(0x7f, 4096, MS_SYNC <unfinished ...>\n" +
		"4712  1795235128.000042 <... msync resumed>) = -1 EIO (Input/output error) (INJECTED)\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := injected(path)
	if err != nil || at.Unix() != 1795235128 || at.Nanosecond() != 42_000 {
		t.Errorf("the failure was at %v (%v)", at, err)
	}
	if err := os.WriteFile(path, []byte(text[:60]), 0o600); err != nil {
		t.Fatal(err)
	}
	if at, err := injected(path); err != nil || !at.IsZero() {
		t.Errorf("a trace without a failure has one at %v (%v)", at, err)
	}
}
