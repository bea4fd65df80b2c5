package main

// This file takes a part of the ledger away from the real binary, which then refuses to start, with the status and the words for it.

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ends runs a command that is expected to end with this status, and returns what it printed.
func (p *process) ends(status int, arguments ...string) string {
	p.t.Helper()
	command := p.prepare(arguments...)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	if got := command.ProcessState.ExitCode(); got != status {
		p.t.Fatalf("%v ends with %d, not %d:\n%s", arguments, got, status, out)
	}
	return string(out)
}

// TestP10RefusesToStartAfterALoss keeps an old copy of the ledger and puts it back, as a restore from a file system backup would.
func TestP10RefusesToStartAfterALoss(t *testing.T) {
	s := newShop(t)
	p := newProcess(t, s.env()...)
	p.write("Caddyfile", s.caddyfile())
	url := "http://" + s.free
	p.start(url, "run", "--config", "Caddyfile")
	s.pay(s.do(http.MethodOptions, s.paid, "/", http.StatusNoContent, "Pay-Token", canaryToken).Header.Get("Pay"))
	if out := p.ends(1, "tokens", "check", "--dir", "data"); !strings.Contains(out, "a server uses") {
		t.Errorf("checking beside the server says %s", out)
	}
	p.stop()
	if out := p.run("", "tokens", "check", "--dir", "data"); !strings.Contains(out, "The ledger adds up.") {
		t.Errorf("before the loss: %s", out)
	}
	dir := filepath.Join(p.dir, "data")
	old := filepath.Join(p.dir, "old")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(dir, "ledger", "db"))); err != nil {
		t.Fatal(err)
	}
	p.start(url, "run", "--config", "Caddyfile")
	s.pay(s.do(http.MethodOptions, s.paid, "/", http.StatusNoContent, "Pay-Token", canaryToken).Header.Get("Pay"))
	p.stop()
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "ledger", "db")), os.CopyFS(filepath.Join(dir, "ledger", "db"), os.DirFS(old))); err != nil {
		t.Fatal(err)
	}

	for _, arguments := range [][]string{{"run", "--config", "Caddyfile"}, {"tokens", "check", "--dir", "data"}} {
		out := p.ends(78, arguments...)
		var lines []string
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "paydoor: ") {
				lines = append(lines, line)
			}
		}
		if len(lines) != 1 || !strings.Contains(lines[0], dir) || !strings.Contains(lines[0], "paydoor tokens check --dir "+dir+" --accept-loss") {
			t.Errorf("%v says %q", arguments, lines)
		}
	}
	if out := p.run("", "tokens", "check", "--dir", "data", "--accept-loss"); !strings.Contains(out, "gone on after a loss") || !strings.Contains(out, "The ledger adds up.") {
		t.Errorf("accepting the loss says %s", out)
	}
	p.start(url, "run", "--config", "Caddyfile")
	if out := p.run("", "tokens", "audit", "--address", s.admin); !strings.Contains(out, "gone on after a loss") {
		t.Errorf("the audit has forgotten the loss: %s", out)
	}
	if got := s.do(http.MethodOptions, s.paid, "/", http.StatusNoContent, "Pay-Token", canaryToken).Header.Get("Pay-Balance"); got != "1000" {
		t.Errorf("the balance after the loss is %s", got)
	}
}

// TestReloadIntoALossIsRefused has a server that goes on with its config when a new one names a damaged directory.
func TestReloadIntoALossIsRefused(t *testing.T) {
	s := newShop(t)
	p := newProcess(t, s.env()...)
	p.write("Caddyfile", s.caddyfile())
	url := "http://" + s.free
	p.start(url, "run", "--config", "Caddyfile")
	s.pay(s.do(http.MethodOptions, s.paid, "/", http.StatusNoContent, "Pay-Token", canaryToken).Header.Get("Pay"))
	p.stop()
	if err := os.Rename(filepath.Join(p.dir, "data"), filepath.Join(p.dir, "damaged")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(p.dir, "damaged", "ledger", "db", "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	p.start(url, "run", "--config", "Caddyfile") // with a new data directory
	p.write("Caddyfile", strings.Replace(s.caddyfile(), "data_dir data", "data_dir damaged", 1))
	if out := p.ends(1, "reload", "--config", "Caddyfile", "--address", s.admin); !strings.Contains(out, "tokens check --dir "+filepath.Join(p.dir, "damaged")+" --accept-loss") {
		t.Errorf("the reload says %s", out)
	}
	s.do(http.MethodOptions, s.paid, "/", http.StatusNoContent, "Pay-Token", canaryToken)
	p.stop()
	if b, err := os.ReadFile(filepath.Join(p.dir, "stderr")); err != nil || bytes.Contains(b, []byte("refusing to start")) {
		t.Errorf("the server said that it would not start (%v)", err)
	}
}

// TestHelpNamesTheProgram reads how the commands are to be typed.
func TestHelpNamesTheProgram(t *testing.T) {
	p := newProcess(t)
	if out := p.run("", "tokens", "show", "--help"); !strings.Contains(out, "  paydoor tokens show [") {
		t.Errorf("the help says %s", out)
	}
}
