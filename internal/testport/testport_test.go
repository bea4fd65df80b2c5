package testport

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// asOther makes TestMain a process that prints so many ports, and holds their blocks until its input ends.
const asOther = "PAYDOOR_TESTPORT"

func TestMain(m *testing.M) {
	if os.Getenv(asOther) == "" {
		os.Exit(m.Run())
	}
	for range many {
		port, err := Next()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(port)
	}
	fmt.Println("end")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

const many = 150 // more than a block

func TestProcessesShareNoPort(t *testing.T) {
	holders := make(map[string]string)
	note := func(holder, port string) {
		t.Helper()
		if earlier, taken := holders[port]; taken {
			t.Errorf("%s was given to %s, and to %s before", port, holder, earlier)
		}
		holders[port] = holder
	}
	for n := range 3 {
		name := fmt.Sprintf("process %d", n)
		for _, port := range other(t) {
			note(name, port)
		}
	}
	// This process begins where another one did.
	first, err := netip.ParseAddrPort(anyOf(holders))
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, 2)
	p.start = (int(first.Port()) - lowest) / length
	for _, port := range take(t, p, many) {
		note("this process", port.String())
	}
	if len(holders) != 4*many {
		t.Errorf("%d ports were given, want %d", len(holders), 4*many)
	}
}

// other starts another process, which ends with the test, and returns its ports.
func other(t *testing.T) (ports []string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), asOther+"=1")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := c.Wait(); err != nil {
			t.Errorf("the other process: %v", err)
		}
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if lines.Text() == "end" {
			return ports
		}
		ports = append(ports, lines.Text())
	}
	t.Fatalf("the other process has ended early, after %s", strings.Join(ports, " "))
	return nil
}

func anyOf(ports map[string]string) string {
	for port := range ports {
		return port
	}
	return ""
}

func TestATakenPortIsSkipped(t *testing.T) {
	for _, network := range []string{"127.0.0.1", "0.0.0.0"} {
		p := newPool(t, 1)
		first := take(t, p, 1)[0].Port()
		l, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", network, first+1))
		if err != nil {
			t.Fatal(err)
		}
		if got := take(t, p, 1)[0].Port(); got != first+2 {
			t.Errorf("after %d came %d, with %d taken on %s", first, got, first+1, network)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPortsComeAgainOnlyAfterAllWereUsed(t *testing.T) {
	p := newPool(t, 2)
	const all = 2 * (length - 1)
	seen := make(map[netip.AddrPort]bool)
	round := take(t, p, all)
	for _, port := range round {
		if seen[port] {
			t.Fatalf("%s came again too early", port)
		}
		seen[port] = true
	}
	for n, port := range take(t, p, all) {
		if port != round[n] {
			t.Fatalf("in the second round %s came instead of %s", port, round[n])
		}
	}
}

func TestAllPortsAreTaken(t *testing.T) {
	p := newPool(t, 1)
	for _, port := range take(t, p, length-1) {
		l, err := net.Listen("tcp", port.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
	}
	if port, err := p.next(); !errors.Is(err, ErrNone) {
		t.Errorf("got %s, %v", port, err)
	}
	if port, err := (&pool{}).next(); !errors.Is(err, ErrNone) {
		t.Errorf("without any block: %s, %v", port, err)
	}
}

func TestManyAskAtOnce(t *testing.T) {
	var mu sync.Mutex
	var asking sync.WaitGroup
	seen := make(map[netip.AddrPort]bool)
	for range 8 {
		asking.Go(func() {
			for range 20 {
				port, err := Next()
				mu.Lock()
				if err != nil || seen[port] {
					t.Errorf("port %s, came before: %t, error %v", port, seen[port], err)
				}
				seen[port] = true
				mu.Unlock()
			}
		})
	}
	asking.Wait()
}

// newPool returns one with blocks of its own, which are given back when the test ends.
func newPool(t *testing.T, most int) *pool {
	t.Helper()
	p := &pool{start: own.start, most: most}
	t.Cleanup(p.release)
	return p
}

func (p *pool) release() {
	for _, listener := range p.reserved {
		_ = listener.Close()
	}
}

func take(t *testing.T, p *pool, n int) (ports []netip.AddrPort) {
	t.Helper()
	for range n {
		port, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
	}
	return ports
}
