//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
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
	records := map[string][]byte{"journal.0": slices.Concat(journalRecord(7, 500), journalRecord(8, 300), make([]byte, 900)), "journal.1": journalRecord(6, 900)}
	for name, content := range records {
		if err := os.WriteFile(filepath.Join(original, "ledger", name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := []string{"sidecar", "db/MANIFEST", "db/00001.mem", "db/000001.sst", "journal.0", "journal.1"}
	torn := 0
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
			for _, name := range files {
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
			if strings.Contains(said[i], "of group ") {
				torn++
				if is, err := os.ReadFile(filepath.Join(damaged, "ledger", "journal.0")); err != nil || !bytes.Equal(is[:500], records["journal.0"][:500]) ||
					is[799] != 0 || !strings.Contains(said[i], "journal.0") || !strings.Contains(said[i], "of group 8 ") {
					t.Errorf("seed %d: %q (%v)", seed, said[i], err)
				}
			}
			if err := os.RemoveAll(damaged); err != nil {
				t.Fatal(err)
			}
		}
		if said[0] != said[1] {
			t.Errorf("seed %d: %q, then %q", seed, said[0], said[1])
		}
	}
	if torn == 0 {
		t.Error("no record of the journal was ever torn")
	}
}

// journalRecord is one with that number and length, as far as a mutator looks.
func journalRecord(sequence uint64, length int) []byte {
	b := bytes.Repeat([]byte{0xee}, length)
	copy(b, "PDJ1")
	binary.BigEndian.PutUint32(b[8:], uint32(length-12))
	binary.BigEndian.PutUint64(b[20:], sequence)
	return b
}

func TestInjectedFailuresAreFoundInTheTrace(t *testing.T) {
	at := time.Unix(1795235128, 42_000)
	tests := map[string]struct {
		trace string
		want  failure
	}{
		"none": {trace: "4711  1795235127.590787 msync(0x7f, 4096, MS_SYNC) = 0\n"},
		"without a file": {
			"4711  1795235127.590787 msync(0x7f, 4096, MS_SYNC) = 0\n" +
				"4712  1795235127.590999 msync(0x7f, 4096, MS_SYNC <unfinished ...>\n" +
				"4712  1795235128.000042 <... msync resumed>) = -1 EIO (Input/output error) (INJECTED)\n",
			failure{at: at},
		},
		"in one line": {
			"4711  1795235127.590787 fdatasync(12</a dir/journal.0>) = 0\n" +
				"4711  1795235128.000042 fdatasync(7</a dir/sidecar>) = -1 EIO (Input/output error) (INJECTED)\n",
			failure{at, "/a dir/sidecar"},
		},
		"of two threads at once": {
			"4712  1795235127.590999 fdatasync(12</d/journal.0> <unfinished ...>\n" +
				"4713  1795235127.591000 fdatasync(7</d/sidecar> <unfinished ...>\n" +
				"4712  1795235128.000042 <... fdatasync resumed>) = -1 EIO (Input/output error) (INJECTED)\n",
			failure{at, "/d/journal.0"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "trace")
			if err := os.WriteFile(path, []byte(test.trace), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := injected(path); err != nil || !got.at.Equal(test.want.at) || got.file != test.want.file {
				t.Errorf("%+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

// What a sync of the journal could not write must not be acknowledged at all; the rest is told of from behind it.
func TestOnlyTheJournalHasToBeSilentAtOnce(t *testing.T) {
	at := time.Unix(1795235128, 0)
	for file, want := range map[string]time.Duration{"/d/ledger/journal.1": 0, "/d/ledger/sidecar": toldWithin, "/d/journal.d/MANIFEST": toldWithin, "": toldWithin} {
		if got := (failure{at, file}).silent().Sub(at); got != want {
			t.Errorf("%q: silence after %v, want %v", file, got, want)
		}
	}
}
