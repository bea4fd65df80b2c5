package caddymodule

// This file backs a running server up, and goes back to the backup.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/store"
)

func TestTokensBackupAndRestore(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("1000")
	s.want(s.do("GET", "/"), 200, "990")
	file := filepath.Join(t.TempDir(), "backup")
	wantLines(t, s.must("", "backup", file), "backup "+file, "size ", "up to group ")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the backup has mode %v (%v)", info.Mode(), err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.want(s.do("GET", "/"), 200, "980")
	if _, err := s.tokens("", "backup", file); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("backing up over a file: %v", err)
	}
	if again, err := os.ReadFile(file); err != nil || !bytes.Equal(before, again) {
		t.Error("the refused backup changed the file")
	}
	if _, _, err := typed("", "restore", file, "--dir", s.dataDir()); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("restoring over a ledger: %v", err)
	}
	newer := file + "2"
	s.must("", "backup", newer)
	s.must("", "backup", file, "--force")
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 2 {
		t.Errorf("beside the backups there is %v (%v)", left, err)
	}

	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, before, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/restored"
	if err := errors.Join(os.MkdirAll(dir+"/ledger", 0o700), os.WriteFile(dir+"/ledger/lock", nil, 0o600)); err != nil { // of a start that was refused
		t.Fatal(err)
	}
	out, _, err := typed("", "restore", file, "--dir", dir)
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, out, "credits 1000", "- charges 10 ", "= balances 990", "The ledger adds up.")
	if !strings.Contains(out, "gone back to group") {
		t.Errorf("the restored ledger does not say so: %s", out)
	}
	s.options = "data_dir " + dir + "\nsandbox"
	s.load()
	s.want(s.do("GET", "/"), 200, "980")
	if out := s.must("", "audit"); !strings.Contains(out, "gone back to group") {
		t.Errorf("the audit has forgotten the restore: %s", out)
	}
}

// TestLedgerWithoutItsSecret moves a ledger and forgets the secret beside it, which nothing else would tell until a payer fails.
func TestLedgerWithoutItsSecret(t *testing.T) {
	s := newServer(t)
	logs := filepath.Join(t.TempDir(), "log")
	s.global = "log all {\noutput file " + logs + "\n}"
	s.load()
	s.make(s.kid("kid", strong))
	const warning = "a new receiver.secret was made"
	if lines := linesWith(t, logs, warning); len(lines) != 0 {
		t.Errorf("the first start warns: %v", lines)
	}
	file, dir, old := filepath.Join(t.TempDir(), "backup"), t.TempDir(), filepath.Join(s.dataDir(), receiverSecretFile)
	s.must("", "backup", file)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	_, said, err := typed("", "restore", file, "--dir", dir)
	if err != nil || !strings.Contains(said, filepath.Join(dir, receiverSecretFile)+" is missing") {
		t.Errorf("restoring says %q (%v)", said, err)
	}
	s.options = "data_dir " + dir + "\nsandbox"
	s.load()
	eventually(t, "the warning", func() bool { return len(linesWith(t, logs, warning)) == 1 })
	eventually(t, "what the account lacks", func() bool {
		lines := linesWith(t, logs, `"account":"kid"`)
		return len(lines) == 1 && strings.Contains(lines[0]["error"].(string), "receiver.secret")
	})
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}

	kept, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, receiverSecretFile), kept, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, said, err := typed("", "restore", file, "--dir", other); err != nil || strings.Contains(said, "is missing") {
		t.Errorf("restoring beside the secret says %q (%v)", said, err)
	}
	s.options = "data_dir " + other + "\nsandbox"
	s.load()
	if warned, failed := linesWith(t, logs, warning), linesWith(t, logs, `"account":"kid"`); len(warned) != 1 || len(failed) != 1 {
		t.Errorf("with its secret the log says %v, %v", warned, failed)
	}
}

// TestBackupUnderLoad backs up while requests are charged, and wants each backup to add up.
func TestBackupUnderLoad(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("100000")
	dir := t.TempDir()
	var spending sync.WaitGroup
	stop := make(chan struct{})
	spending.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.do("GET", "/")
			}
		}
	})
	for i := range 3 {
		s.must("", "backup", fmt.Sprintf("%s/%d", dir, i))
	}
	close(stop)
	spending.Wait()
	for i := range 3 {
		if out, _, err := typed("", "restore", fmt.Sprintf("%s/%d", dir, i), "--dir", fmt.Sprintf("%s/restored%d", dir, i)); err != nil {
			t.Errorf("backup %d: %v %s", i, err, out)
		}
	}
}

// TestABackupSaysWhichDiskIsFull: that of the file, or something of the server, whose log is the place to look then.
func TestABackupSaysWhichDiskIsFull(t *testing.T) {
	full, cut := &os.PathError{Op: "write", Path: "/stick/backup", Err: syscall.ENOSPC}, errors.New("cut off")
	of := func(body io.Reader, sequence string) *http.Response {
		return &http.Response{Body: io.NopCloser(body), Trailer: http.Header{backupSequence: {sequence}}}
	}
	for name, c := range map[string]struct {
		w        io.Writer
		response *http.Response
		want     error
		server   bool
	}{
		"whole":             {io.Discard, of(strings.NewReader("backup"), "5"), nil, false},
		"no space here":     {failingWriter{full}, of(strings.NewReader("backup"), "5"), full, false},
		"the server ended":  {io.Discard, of(iotest.ErrReader(cut), ""), cut, true},
		"without a trailer": {io.Discard, of(strings.NewReader("backup"), ""), io.ErrUnexpectedEOF, true},
	} {
		_, sequence, err := receiveBackup(c.w, io.Discard, c.response)
		if !errors.Is(err, c.want) || (sequence == "5") != (c.want == nil) || c.server != (err != nil && strings.Contains(err.Error(), "the server")) {
			t.Errorf("%s: group %q, %v", name, sequence, err)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestNewFilesReplaceNothing: not even where the file system has no links, as on a stick for backups.
func TestNewFilesReplaceNothing(t *testing.T) {
	none := func(part, file string) error {
		return &os.LinkError{Op: "link", Old: part, New: file, Err: syscall.EPERM}
	}
	for name, link := range map[string]func(part, file string) error{"links": os.Link, "no links": none} {
		dir := t.TempDir()
		part, file := filepath.Join(dir, "part"), filepath.Join(dir, "file")
		for _, content := range []string{"first", "second"} {
			if err := os.WriteFile(part, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := renameToNew(part, file, link); (err == nil) != (content == "first") || err != nil && !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s: the %s file: %v", name, content, err)
			}
			_, left := os.Lstat(part)
			if b, err := os.ReadFile(file); err != nil || string(b) != "first" || (left == nil) != (content == "second") {
				t.Errorf("%s: after the %s there is %q (%v), and its part: %v", name, content, b, err, left)
			}
		}
	}
}

// TestDamagedBackupsAreRefused cuts a backup off and flips bits in it.
func TestDamagedBackupsAreRefused(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("1000")
	file := filepath.Join(t.TempDir(), "backup")
	s.must("", "backup", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/restored"
	for i := 1; i < len(whole); i += len(whole)/10 + 1 {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 4
		for name, content := range map[string][]byte{"cut off": whole[:i], "flipped": flipped} {
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := typed("", "restore", file, "--dir", dir); err == nil {
				t.Errorf("a backup %s at byte %d of %d was restored", name, i, len(whole))
			}
			if _, _, err := typed("", "check", "--dir", dir); err == nil || !strings.Contains(err.Error(), "there is no ledger") {
				t.Errorf("a backup %s at byte %d left something: %v", name, i, err)
			}
		}
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, err := typed("", "restore", file, "--dir", dir); err != nil {
		t.Errorf("the whole backup after them: %v %s", err, out)
	}
}

// TestBackupThatBreaksOff wants no file of a backup that the server could not finish.
func TestBackupThatBreaksOff(t *testing.T) {
	fault = func(at store.Point, _ uint64) error {
		if at == store.BeforeCommit {
			return errors.New("injected")
		}
		return nil
	}
	t.Cleanup(func() { fault = nil })
	s := newServer(t)
	s.load()
	_, _ = s.tokens(token, "credit", "5", "--reason", "x") // poisons the store
	dir := t.TempDir()
	if _, err := s.tokens("", "backup", dir+"/backup"); err == nil {
		t.Error("a ledger that has failed was backed up")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("there is %v (%v)", left, err)
	}
}
