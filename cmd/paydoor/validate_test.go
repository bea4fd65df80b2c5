package main

// This file wants of the real binary that a mistake is named by file and line wherever it shows, and that validating beside a running server
// leaves the server's directory as it is.

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// validated is a server whose data directory is data, in the directory of its process. line is one more line of the ilp block.
func validated(admin, site, line string) string {
	return fmt.Sprintf(`{
	admin %s
	auto_https off
	persist_config off
	ilp {
		sandbox
		data_dir data
		%s
	}
}
http://%s {
	bind 127.0.0.1
	paywall 10
	respond fine
}
`, admin, line, site)
}

func TestValidateBesideARunningServer(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a server")
	}
	const wrong = "max_balance {env.PAYDOOR_TEST_NOT_SET}"
	admin, site := freeAddress(t), freeAddress(t)
	p := newProcess(t)
	p.write("Caddyfile", validated(admin, site, ""))
	p.write("wrong", validated(admin, site, wrong))
	p.write("moved", strings.Replace(validated(admin, site, ""), "data_dir data", "data_dir other", 1))
	p.start("http://"+site, "run", "--config", "Caddyfile")
	before := settled(t, filepath.Join(p.dir, "data"))
	for range 3 {
		p.run("", "validate", "--config", "Caddyfile")
		p.run("", "validate", "--config", "moved", "--adapter", "caddyfile")
	}
	p.wantRefused("wrong:8", "validate", "--config", "wrong", "--adapter", "caddyfile")
	after := contents(t, filepath.Join(p.dir, "data"))
	for path, was := range before {
		if after[path] != was {
			t.Errorf("validating changed %s from %s to %q", path, was, after[path])
		}
	}
	if len(after) != len(before) {
		t.Errorf("there were %d files and directories, and there are %d", len(before), len(after))
	}
	if left := contents(t, filepath.Join(p.dir, "other")); len(left) > 0 {
		t.Errorf("validating made %v", left)
	}
	// The server is the one that does not know the variable, and the line is that of the file which another process read.
	p.env = append(p.env, "PAYDOOR_TEST_NOT_SET=7")
	p.wantRefused("wrong:8", "reload", "--config", "wrong", "--adapter", "caddyfile")
	p.wantRefused("weak:8", "reload", "--config", p.file("weak", validated(admin, site, "secret hunter2")), "--adapter", "caddyfile")
	p.wantRefused("alone:2", "adapt", "--config", p.file("alone", "http://:80 {\n\tpaywall 10\n}\n"), "--adapter", "caddyfile")
}

// file writes a file and returns its name.
func (p *process) file(name, text string) string {
	p.write(name, text)
	return name
}

// wantRefused runs a command that has to fail with words.
func (p *process) wantRefused(words string, arguments ...string) {
	p.t.Helper()
	out, err := p.prepare(arguments...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), words) {
		p.t.Errorf("%v: %v, and it does not say %q:\n%s", arguments, err, words, out)
	}
	if strings.Contains(string(out), "hunter2") {
		p.t.Errorf("%v shows a secret:\n%s", arguments, out)
	}
}

// settled returns the contents once a server has written what it writes when it starts.
func settled(t *testing.T, dir string) map[string]string {
	t.Helper()
	before := contents(t, dir)
	for end := time.Now().Add(30 * time.Second); ; {
		time.Sleep(500 * time.Millisecond)
		after := contents(t, dir)
		if len(after) > 3 && maps.Equal(before, after) {
			return after
		}
		if before = after; time.Now().After(end) {
			t.Fatalf("the directory of an idle server does not stand still: %v", before)
		}
	}
}

// contents returns mode, time of change and bytes of everything below dir, which need not exist.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := fmt.Sprint(info.Mode(), info.ModTime())
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %d bytes, %x", len(b), sha256.Sum256(b))
		}
		found[path] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
