package main

// This file builds the real binary once, runs it in a directory of its own, and gives back every byte that it wrote there.

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/paydoor/paydoor/internal/testport"
)

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "paydoor-test-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	path := filepath.Join(dir, "paydoor")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building: %w\n%s", err, out)
	}
	return path, nil
})

var buildDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if buildDir != "" {
		_ = os.RemoveAll(buildDir)
	}
	os.Exit(code)
}

// process is a running binary.
type process struct {
	t       *testing.T
	dir     string
	env     []string
	command *exec.Cmd
	exited  chan struct{}
}

// newProcess prepares a process in an empty directory; env holds further NAME=value pairs.
func newProcess(t *testing.T, env ...string) *process {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("this test ends processes by signals")
	}
	p := &process{t: t, dir: t.TempDir()}
	p.env = append(os.Environ(), "HOME="+p.dir, "XDG_DATA_HOME="+p.dir+"/xdg", "XDG_CONFIG_HOME="+p.dir+"/xdg")
	p.env = append(p.env, env...)
	return p
}

func (p *process) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a command to its end and returns what it printed.
func (p *process) run(stdin string, arguments ...string) string {
	p.t.Helper()
	command := p.prepare(arguments...)
	command.Stdin = strings.NewReader(stdin)
	out, err := command.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v: %v\n%s", arguments, err, out)
	}
	return string(out)
}

func (p *process) prepare(arguments ...string) *exec.Cmd {
	p.t.Helper()
	path, err := build()
	if err != nil {
		p.t.Fatal(err)
	}
	command := exec.Command(path, arguments...)
	command.Dir, command.Env = p.dir, p.env
	return command
}

// start starts a server, and waits until url answers. What it prints goes to the file stderr in its directory.
func (p *process) start(url string, arguments ...string) {
	p.t.Helper()
	printed, err := os.Create(filepath.Join(p.dir, "stderr"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = printed.Close() }()
	p.command, p.exited = p.prepare(arguments...), make(chan struct{})
	p.command.Stdout, p.command.Stderr = printed, printed
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func(command *exec.Cmd, exited chan<- struct{}) {
		_ = command.Wait() // it ends by a signal, or the test sees that it does not answer
		close(exited)
	}(p.command, p.exited)
	p.t.Cleanup(p.stop)
	p.await(url)
}

// await waits until url answers.
func (p *process) await(url string) {
	p.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		if answer, err := http.Get(url); err == nil {
			_ = answer.Body.Close()
			return
		}
		select {
		case <-p.exited:
			p.t.Fatalf("the server ended while starting:\n%s", p.written()["stderr"])
		case <-deadline:
			p.t.Fatalf("%s does not answer:\n%s", url, p.written()["stderr"])
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// killAfter kills the server once so many are counted, or half a minute has passed.
func (p *process) killAfter(n int64, counted *atomic.Int64) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); counted.Load() < n && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if err := p.command.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.exited
}

// stop ends the server and waits for it.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails only when it has ended already
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		_ = p.command.Process.Kill()
		<-p.exited
		p.t.Errorf("the server did not end by itself")
	}
}

// written returns all files of the process by name, except its Caddyfile.
func (p *process) written() map[string]string {
	files := make(map[string]string)
	err := filepath.WalkDir(p.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || entry.Name() == "Caddyfile" {
			return err
		}
		b, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, p.dir+"/")] = string(b)
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
	return files
}

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := testport.Next()
	if err != nil {
		t.Fatal(err)
	}
	return port.String()
}
