package payer

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
)

func journalOf(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestJournalWithoutALastLineEnd: an editor that was used to remove a line may leave the last one without an end. It is a payment all the same.
func TestJournalWithoutALastLineEnd(t *testing.T) {
	dir := t.TempDir()
	w := openWallet(t, dir, Limits{})
	if err := w.Reserve("shop.example", 30); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole := journalOf(t, dir)
	if err := os.WriteFile(filepath.Join(dir, journalFile), bytes.TrimSuffix(whole, []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	w = openWallet(t, dir, Limits{PerHost: 50})
	defer w.Close()
	if err := w.Reserve("shop.example", 21); !errors.Is(err, ErrCap) {
		t.Errorf("the payment is forgotten: %v", err)
	}
	if got := journalOf(t, dir); !bytes.Equal(got, whole) {
		t.Errorf("the journal is %q", got)
	}
}

// TestJournalReplacedMeanwhile puts an older copy back while a payment is under way. Its end does not fit there, and is not written: it would be damage that
// stops everything.
func TestJournalReplacedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	w := openWallet(t, dir, Limits{})
	if err := w.Reserve("shop.example", 30); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copy")
	if err := errors.Join(os.WriteFile(copied, nil, 0o600), os.Rename(copied, filepath.Join(dir, journalFile))); err != nil {
		t.Fatal(err)
	}
	w.Settle("shop.example", 30, 30)
	if err := w.Close(); !errors.Is(err, ErrWallet) || !strings.Contains(err.Error(), "was it replaced?") {
		t.Errorf("closing says %v", err)
	}
	if err := openWallet(t, dir, Limits{}).Close(); err != nil {
		t.Error(err)
	}
}

// TestJournalOfAnotherProgram reads what cannot be read twice, and hears the same twice.
func TestJournalOfAnotherProgram(t *testing.T) {
	good := `{"at":"2026-01-01T00:00:00Z","kind":"summed","host":"a","amount":"5","until":"2026-01-01T00:00:00Z","count":2}` + "\n"
	for bad, want := range map[string]string{
		`{"at":"2026-01-01T00:00:00Z","kind":"refunded","id":"x","host":"a","amount":"5"}`: `line 3 is of a kind "refunded" that this program does not know: use the newer one`,
		`{"at":"2026-01-01T00:00:00Z","kind":"settled","id":"x","host":"a","amount":"5"}`:  "damage in line 3: put a copy back",
		`{"at":"2026-01-01T00:00:00Z","id":"x","host":"a","amount":"5"}`:                   "damage in line 3: put a copy back",
		`[]`: "damage in line 3: put a copy back",
	} {
		dir := t.TempDir()
		w := openWallet(t, dir, Limits{})
		if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(good+good+bad+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := w.Spendings(); !errors.Is(err, ErrWallet) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", bad, err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, journalFile), []byte(good+good), 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := w.Spendings()
		if err != nil || len(all) != 2 || w.books.hosts["a"] != amount.Amount(10) {
			t.Errorf("without the line: %+v, %v", all, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestCompactionOnAFullDisk leaves nothing of a journal that could not be written whole, and goes on with the old one.
func TestCompactionOnAFullDisk(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("there is no ", full)
	}
	dir := t.TempDir()
	w := openWallet(t, dir, Limits{})
	w.keeps = 1
	if err := os.Symlink(full, filepath.Join(dir, shorterFile)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Reserve("shop.example", 1); err != nil {
			t.Fatal(err)
		}
		w.Settle("shop.example", 1, 1)
	}
	if _, err := os.Lstat(filepath.Join(dir, shorterFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was not written whole is left: %v", err)
	}
	if today, err := w.SpentToday(); err != nil || today != 2 {
		t.Errorf("%s were spent, %v", today, err)
	}
	if err := w.Close(); !errors.Is(err, ErrWallet) || !strings.Contains(err.Error(), "shorter: ") {
		t.Errorf("closing says %v", err)
	}
}
