//go:build linux

package main

// This file runs one gateway: the real binary as a process of its own, whose processor time the kernel counts.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// All gateways have the same budget for garbage: with Go's defaults the one that holds more memory would collect less often, and look
// faster than it is.
var gcBudget = []string{"GOGC=off", "GOMEMLIMIT=1GiB"}

// gateway is a running process.
type gateway struct {
	name    string
	admin   netip.AddrPort
	process *exec.Cmd
	exited  chan struct{}
	log     string // path of the file
}

// startGateway runs binary on a Caddyfile, in a directory of its own below dir. It is ready when awaitStatus says so.
func startGateway(binary, dir, name string, admin netip.AddrPort, caddyfile string) (*gateway, error) {
	home := filepath.Join(dir, name)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(home, "Caddyfile"), []byte(caddyfile), 0o600); err != nil {
		return nil, err
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	process := exec.Command(binary, "run", "--config", "Caddyfile")
	process.Dir = home
	process.Env = append(append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home), gcBudget...)
	return start(name, home, admin, process)
}

// start runs a process whose log is in home.
func start(name, home string, admin netip.AddrPort, process *exec.Cmd) (*gateway, error) {
	g := &gateway{name: name, admin: admin, process: process, log: filepath.Join(home, "log"), exited: make(chan struct{})}
	log, err := os.Create(g.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	g.process.Stdout, g.process.Stderr = log, log
	// It gets no Ctrl-C of ours, so that it can be stopped in order, and does not outlive us.
	g.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := g.process.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = g.process.Wait() // how it ended is in its log
		close(g.exited)
	}()
	return g, nil
}

// stop asks the process to end, and insists.
func (g *gateway) stop() error {
	_ = g.process.Process.Signal(syscall.SIGTERM) // fails only when it has ended
	select {
	case <-g.exited:
		return nil
	case <-time.After(20 * time.Second):
		_ = g.process.Process.Kill()
		<-g.exited
		return fmt.Errorf("gateway %q did not stop within 20 s", g.name)
	}
}

// awaitStatus asks for url until the answer has the status.
func (g *gateway) awaitStatus(ctx context.Context, method, url string, status int, header http.Header) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, method, url, nil)
		if err != nil {
			return err
		}
		request.Header = header.Clone()
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == status {
				return nil
			}
		}
		select {
		case <-g.exited:
			return fmt.Errorf("gateway %q ended while starting:\n%s", g.name, g.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("gateway %q is not ready: %w\n%s", g.name, errors.Join(err, ctx.Err()), g.lastWords())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (g *gateway) lastWords() []byte {
	text, err := os.ReadFile(g.log)
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-3000):]
}

// cpu is the processor time that all threads of the process have used: the same as in /proc/PID/stat, to the nanosecond.
func (g *gateway) cpu() (time.Duration, error) { return processTime(g.process.Process.Pid) }

// processTime reads the CPU clock of a process, whose number is made as clock_getcpuclockid(3) does.
func processTime(pid int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil {
		return 0, fmt.Errorf("reading the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// profile writes a CPU profile of the next while into a file.
func (g *gateway) profile(ctx context.Context, d time.Duration, path string) error {
	seconds := max(1, int(d.Round(time.Second).Seconds()))
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", g.admin, seconds)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("profiling gateway %q: status %d", g.name, answer.StatusCode)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, answer.Body)
	return errors.Join(err, file.Close())
}
