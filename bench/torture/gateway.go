//go:build linux

package main

// This file runs the real binary as a process of its own, ends it in every way, and reads its last words.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// gateway is a Caddyfile and the process that runs on it, if any.
type gateway struct {
	binary string
	home   string // with Caddyfile and logs
	admin  netip.AddrPort
	site   netip.AddrPort
	client *http.Client

	wrapper []string // a command that runs the binary: strace with its arguments
	env     []string // for the next start

	process *exec.Cmd
	exited  chan struct{}
	starts  int
	log     string // of the last start
}

// readyWithin is how long a start may take.
const readyWithin = 30 * time.Second

// launch starts the process and returns at once.
func (g *gateway) launch() error {
	g.starts++
	g.log = filepath.Join(g.home, fmt.Sprintf("log.%d", g.starts))
	log, err := os.Create(g.log)
	if err != nil {
		return err
	}
	defer log.Close()
	args := append(append([]string{}, g.wrapper...), g.binary, "run", "--config", filepath.Join(g.home, "Caddyfile"), "--adapter", "caddyfile")
	g.process = exec.Command(args[0], args[1:]...)
	g.process.Dir = g.home
	g.process.Env = append(append(os.Environ(), "HOME="+g.home, "XDG_DATA_HOME="+g.home, "XDG_CONFIG_HOME="+g.home), g.env...)
	g.process.Stdout, g.process.Stderr = log, log
	// A group of its own: it gets no Ctrl-C of ours, and is killed together with what traces it.
	g.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := g.process.Start(); err != nil {
		return err
	}
	g.exited = make(chan struct{})
	go func(process *exec.Cmd, exited chan<- struct{}) {
		_ = process.Wait() // how it ended is in its ProcessState and in its log
		close(exited)
	}(g.process, g.exited)
	return nil
}

// errEnded says that the process ended while it was starting.
var errEnded = errors.New("the gateway ended while it was starting")

// start launches the process and returns when it can be paid and charges.
func (g *gateway) start(ctx context.Context) error {
	if err := g.launch(); err != nil {
		return err
	}
	return g.awaitReady(ctx)
}

// awaitReady returns when the process is ready, or has ended: then it is errEnded.
func (g *gateway) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if g.ready(ctx) == http.StatusOK {
			return nil
		}
		select {
		case <-g.exited:
			return fmt.Errorf("%w with status %d:\n%s", errEnded, g.status(), g.lastWords(2000))
		case <-ctx.Done():
			return fmt.Errorf("the gateway is not ready: %w\n%s", ctx.Err(), g.lastWords(2000))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ready returns the status of the readiness endpoint, or 0.
func (g *gateway) ready(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.admin.String()+"/paydoor/ready", nil)
	if err != nil {
		return 0
	}
	answer, err := g.client.Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// signal sends a signal to the process and what traces it.
func (g *gateway) signal(s syscall.Signal) { _ = syscall.Kill(-g.process.Process.Pid, s) }

// freeze stops the process, and returns when no thread of it runs any more. Those that wait for the disk come no further than to the end
// of their system call.
func (g *gateway) freeze() error {
	g.signal(syscall.SIGSTOP)
	for range 1000 {
		states, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", g.process.Process.Pid))
		if err != nil {
			return err
		}
		running := false
		for _, path := range states {
			text, err := os.ReadFile(path)
			if err != nil {
				continue // the thread has ended
			}
			_, state, _ := strings.Cut(string(text), ") ") // after the name, which is in brackets
			running = running || !strings.HasPrefix(state, "T") && !strings.HasPrefix(state, "D")
		}
		if !running && len(states) > 0 {
			return nil
		}
		time.Sleep(200 * time.Microsecond)
	}
	return errors.New("the gateway does not stand still")
}

// kill ends the process as a crash does, and waits for its end.
func (g *gateway) kill() {
	if g.exited == nil {
		return
	}
	g.signal(syscall.SIGKILL)
	<-g.exited
}

// stop asks the process to end.
func (g *gateway) stop() error {
	g.signal(syscall.SIGTERM)
	select {
	case <-g.exited:
	case <-time.After(20 * time.Second):
		g.kill()
		return errors.New("the gateway did not end within 20 s of SIGTERM")
	}
	if s := g.status(); s != 0 {
		return fmt.Errorf("the gateway ended with status %d after SIGTERM:\n%s", s, g.lastWords(2000))
	}
	return nil
}

// alive says whether the process runs.
func (g *gateway) alive() bool {
	select {
	case <-g.exited:
		return false
	default:
		return true
	}
}

// status is the exit status of an ended process; -1 after a signal.
func (g *gateway) status() int { return g.process.ProcessState.ExitCode() }

// killedBy is the signal that ended the process; -1 for none.
func (g *gateway) killedBy() syscall.Signal {
	if s, ok := g.process.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return s.Signal()
	}
	return -1
}

// lastWords are the last n bytes of what was printed, without the lines that say that all is well.
func (g *gateway) lastWords(n int) string {
	text, err := os.ReadFile(g.log)
	if err != nil {
		return err.Error()
	}
	var words strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, `"level":"info"`) && !strings.Contains(line, "HTTP/2 skipped") && !strings.Contains(line, "HTTP/3 skipped") {
			words.WriteString(line)
		}
	}
	all := words.String()
	return all[max(0, len(all)-n):]
}

// horrors are what no process of ours may print, whatever happens to it.
var horrors = []string{"panic:", "fatal error:", "SIGBUS", "SIGSEGV", "unexpected fault address", "\ngoroutine ", "WARNING: DATA RACE"}

// horror returns what the last process should not have printed, and where.
func (g *gateway) horror(secrets ...string) string {
	text, err := os.ReadFile(g.log)
	if err != nil {
		return err.Error()
	}
	for _, h := range horrors {
		if at := bytes.Index(text, []byte(h)); at >= 0 {
			return fmt.Sprintf("the gateway's log has %q: %s", strings.TrimSpace(h), excerpt(text[at:]))
		}
	}
	for _, s := range secrets {
		if bytes.Contains(text, []byte(s)) {
			return "the gateway's log shows a Pay-Token"
		}
	}
	return ""
}

// excerpt is what a panic says: its first line, and the functions it came through that are nearest.
func excerpt(text []byte) string {
	var lines []string
	for line := range strings.Lines(string(text[:min(len(text), 4000)])) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "/") && len(lines) < 5 {
			lines = append(lines, line[:min(len(line), 150)])
		}
	}
	return strings.Join(lines, " | ")
}
