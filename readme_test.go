package paydoor

// This file runs what the README shows: the demonstration, the Caddyfiles, and the session by hand.

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```")

// blocks returns the README's fenced blocks of one kind.
func blocks(t *testing.T, kind string) (texts []string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fence.FindAllStringSubmatch(string(readme), -1) {
		if block[1] == kind {
			texts = append(texts, block[2])
		}
	}
	return texts
}

// binary builds paydoor once for the tests of this package.
func binary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "paydoor")
	if out, err := exec.Command("go", "build", "-o", path, "./cmd/paydoor").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return path
}

func TestReadmeShowsTheTwoCommands(t *testing.T) {
	shown := blocks(t, "sh")
	for _, command := range []string{"go run ./cmd/paydoor demo --once\n", "go test ./...\n"} {
		if !slices.Contains(shown, command) {
			t.Errorf("the README does not show %q on its own", command)
		}
	}
}

func TestReadmeDemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "run", "./cmd/paydoor", "demo", "--once")
	command.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"< HTTP/1.1 204 No Content", "< Pay-Balance: 0", "< Pay: interledger-psk2 test.demo.", "< HTTP/1.1 200 OK", "< Pay-Balance: 90"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the demonstration does not show %q:\n%s", want, out)
		}
	}
}

func TestReadmeCaddyfiles(t *testing.T) {
	paydoor := binary(t)
	shown := blocks(t, "caddyfile")
	if len(shown) < 2 {
		t.Fatalf("the README shows %d Caddyfiles", len(shown))
	}
	for i, text := range shown {
		adapt := exec.Command(paydoor, "adapt", "--config", "-", "--adapter", "caddyfile")
		if !strings.HasPrefix(text, "{") { // only the site is shown, and the node goes with it
			text = "{\n\tilp {\n\t\tsandbox\n\t}\n}\n" + text
		}
		adapt.Stdin = strings.NewReader(text)
		var complaints bytes.Buffer
		adapt.Stderr = &complaints
		if err := adapt.Run(); err != nil {
			t.Errorf("Caddyfile %d: %v\n%s", i+1, err, &complaints)
		}
	}
}

// TestReadmeByHand runs Caddyfile.example and types what the README says.
func TestReadmeByHand(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("this machine has no %s", tool)
		}
	}
	scripts := append(blocks(t, "sh try"), blocks(t, "sh pay")...)
	if len(scripts) != 2 {
		t.Fatalf("the README shows %d sessions", len(scripts))
	}
	home, paydoor := t.TempDir(), binary(t)
	server := exec.Command(paydoor, "run", "--config", "Caddyfile.example")
	server.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		server.Process.Signal(syscall.SIGTERM)
		server.Wait()
	}()
	if !awaitServer("http://localhost:8080/") {
		server.Process.Kill()
		server.Wait()
		if strings.Contains(log.String(), "address already in use") {
			t.Skip("a port of the example is taken on this machine")
		}
		t.Fatalf("the example does not come up:\n%s", &log)
	}
	wants := [][]string{
		{"204", "Pay-Balance: 0", `"delivered":"100"`, "200 OK", "Pay-Balance: 90"},
		{"which costs  10", "This was worth 10.", "paid 10 to localhost", "10 spent today"},
	}
	for i, script := range scripts {
		session := exec.Command("bash", "-euo", "pipefail", "-c", script)
		session.Dir = filepath.Dir(paydoor)
		session.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
		out, err := session.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range wants[i] {
			if !bytes.Contains(out, []byte(want)) {
				t.Errorf("the session does not show %q:\n%s", want, out)
			}
		}
	}
}

func awaitServer(url string) bool {
	for range 100 {
		if answer, err := http.Get(url); err == nil {
			answer.Body.Close()
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}
