package paydoor

// This file runs the examples against the demonstration.

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// printed is what a process has printed so far.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

var (
	invited  = regexp.MustCompile(`paydoor fetch --max 100 (http://\S+)`)
	walletAt = regexp.MustCompile(`(http://\S+)/sandbox/pay`)
)

// startDemo starts the demonstration, and returns the page and the node that it names at the end.
func startDemo(t *testing.T, paydoor string) (page, node string) {
	t.Helper()
	var out printed
	demo := exec.Command(paydoor, "demo")
	demo.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	demo.Stdout, demo.Stderr = &out, &out
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := demo.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := demo.Wait(); err != nil {
			t.Errorf("the demonstration: %v", err)
		}
	})
	for range 600 {
		said := out.String()
		if strings.Contains(said, "Ctrl-C ends it.") {
			return invited.FindStringSubmatch(said)[1], walletAt.FindStringSubmatch(said)[1]
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the demonstration does not come up:\n%s", &out)
	return "", ""
}

func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs programs")
	}
	paydoor := binary(t)
	page, node := startDemo(t, paydoor)
	t.Run("Go", func(t *testing.T) {
		program := exec.Command("go", "run", "./examples/pay", page)
		program.Env = append(os.Environ(), "NODE="+node, "WALLET="+t.TempDir())
		if out, err := program.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "Hello from the backend. You are paid visitor") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("shell", func(t *testing.T) {
		if _, err := exec.LookPath("bash"); err != nil {
			t.Skip("this machine has no bash")
		}
		script, err := filepath.Abs("examples/pay.sh")
		if err != nil {
			t.Fatal(err)
		}
		run := exec.Command("bash", script, page)
		run.Dir = t.TempDir()
		run.Env = append(os.Environ(), "PATH="+filepath.Dir(paydoor)+":"+os.Getenv("PATH"), "PAYDOOR_NODE="+node, "PAYDOOR_WALLET="+run.Dir)
		out, err := run.CombinedOutput()
		for _, want := range []string{"which costs  10\n", "\nHello from the backend.", `"status":200`, "the cap per request of 1, 0 are spent\nnothing above the cap was paid\n", "20 spent today", ",127.0.0.1,10,paid,"} {
			if err != nil || !strings.Contains(string(out), want) {
				t.Fatalf("%v, and no %q:\n%s", err, want, out)
			}
		}
	})
	response, err := http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusPaymentRequired {
		t.Errorf("without money the page is %s, %v", response.Status, err)
	}
}
