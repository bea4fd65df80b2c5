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

// atHome is the environment of somebody whose home is a new directory, and whose node is at a port that is perhaps another than the usual.
func atHome(home, node string) []string {
	own := append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
	if strings.HasSuffix(node, ":7770") {
		return own
	}
	return append(own, "PAYDOOR_NODE="+node)
}

func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs programs")
	}
	paydoor := binary(t)
	page, node := startDemo(t, paydoor)
	t.Run("Go", func(t *testing.T) {
		built := filepath.Join(t.TempDir(), "pay")
		if out, err := exec.Command("go", "build", "-o", built, "./examples/pay").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		program := exec.Command(built, page)
		program.Env = atHome(t.TempDir(), node)
		out, err := program.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "Hello from the backend. You are paid visitor") || !strings.Contains(string(out), " 200 OK ") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("README", func(t *testing.T) {
		commands := blocks(t, "sh demo")
		if len(commands) != 2 || commands[0] != "go run ./cmd/paydoor demo\n" {
			t.Fatalf("the README shows %q", commands)
		}
		// The demonstration says where it is: not where the README says if the port is taken.
		typed := strings.NewReplacer("go run ./cmd/paydoor", paydoor, "http://localhost:8402/hello", strings.Replace(page, "127.0.0.1", "localhost", 1), "\n", "").Replace(commands[1])
		fetch := exec.Command(strings.Fields(typed)[0], strings.Fields(typed)[1:]...)
		fetch.Env = atHome(t.TempDir(), strings.Replace(node, "127.0.0.1", "localhost", 1))
		var said bytes.Buffer
		fetch.Stderr = &said
		if out, err := fetch.Output(); err != nil || !strings.HasPrefix(string(out), "Hello from the backend.") || said.String() != "paydoor: paid 10 to localhost, where 0 are left\n" {
			t.Errorf("%s: %v, %s\n%s", typed, err, out, &said)
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
		for _, want := range []string{"which costs  10\n", "\nHello from the backend.", `"status":200`, "it costs 10, and --max is 1\nnothing above it would be paid\n", "Z  100\n", "20 spent today", ",127.0.0.1,10,paid,"} {
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

// TestExamplesSayHowToUseThem runs them without a URL, with too many, and with an empty one.
func TestExamplesSayHowToUseThem(t *testing.T) {
	built := filepath.Join(t.TempDir(), "pay")
	if out, err := exec.Command("go", "build", "-o", built, "./examples/pay").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	programs := [][]string{{built}}
	if _, err := exec.LookPath("bash"); err == nil {
		programs = append(programs, []string{"bash", "examples/pay.sh"})
	}
	for _, program := range programs {
		for _, arguments := range [][]string{nil, {""}, {"http://localhost/", "http://localhost/"}} {
			run := exec.Command(program[0], append(program[1:], arguments...)...)
			run.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
			out, err := run.CombinedOutput()
			if run.ProcessState.ExitCode() != 2 || !strings.HasPrefix(string(out), "usage: pay") || strings.Count(string(out), "\n") != 1 {
				t.Errorf("%q with %q: %v\n%s", program, arguments, err, out)
			}
		}
	}
}

// TestDocumentedProgram compares the program in docs/paying.md with the one that runs, and what `go doc ./payer` begins with, with the examples that run.
func TestDocumentedProgram(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	_, main, _ := strings.Cut(read("examples/pay/main.go"), "func main() {\n")
	main, _, _ = strings.Cut(main, "\n}\n")
	if docs := read("docs/paying.md"); !strings.Contains(docs, "```go\n"+strings.ReplaceAll(main[1:], "\n\t", "\n")+"\n```\n") {
		t.Errorf("docs/paying.md does not show what examples/pay does:\n%s", main)
	}
	if n := strings.Count(main, "\n") + 1; n > 10 {
		t.Errorf("the program has %d lines", n)
	}
	examples := read("payer/example_test.go")
	shown := regexp.MustCompile(`(?m)^//\t\s*(.+)$`).FindAllStringSubmatch(read("payer/doc.go"), -1)
	for _, line := range shown {
		if strings.Contains(line[1], "to.") || strings.Contains(line[1], "Resolver") || strings.HasPrefix(line[1], "result, err") {
			continue // of a payment pointer, which needs the network
		}
		if !strings.Contains(examples, line[1]) {
			t.Errorf("no example runs %q", line[1])
		}
	}
	if len(shown) < 5 {
		t.Errorf("payer/doc.go shows %d lines", len(shown))
	}
}
