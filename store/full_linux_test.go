package store

// This file tests a full disk, a small tmpfs, with a child process that would die of a SIGBUS: filled by itself, filled by somebody else, and
// full when the store is opened.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a tmpfs and returns a store directory on it.
func smallDisk(t *testing.T, size string) (mount, dir string) {
	t.Helper()
	mount = t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no tmpfs can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mount, 0); err != nil {
			t.Error(err)
		}
	})
	return mount, filepath.Join(mount, "ledger")
}

// fill writes a file until the disk is full.
func fill(t *testing.T, mount string) (path string) {
	t.Helper()
	path = filepath.Join(mount, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 4 << 10} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return path
}

// childOnSmallDisk counts up with values of a size until its input ends, and says "ack n" and "full" as things change.
func childOnSmallDisk(spec string) {
	var bytesEach int
	var o Options
	settings, dir, _ := strings.Cut(spec, ":")
	if _, err := fmt.Sscanf(settings, "%d,%d", &bytesEach, &o.MinFree); err != nil {
		panic(err)
	}
	s, err := Open(context.Background(), dir, o)
	if err != nil {
		fmt.Println("refused", err)
		return
	}
	var stop atomic.Bool
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop.Store(true) }()
	acknowledged, full := readCount(s, "k"), false
	for n := acknowledged + 1; !stop.Load(); {
		ticket, err := s.Join(func(g *Group) {
			g.Put([]byte("k"), []byte(strconv.Itoa(n)))
			for i := range 1 + bytesEach/1000 {
				g.Put(fmt.Appendf(nil, "each/%d/%d", n, i), bytes.Repeat([]byte{byte(n)}, min(bytesEach, 1000)))
			}
		})
		if err == nil {
			if err = ticket.Wait(context.Background()); err == nil {
				acknowledged, full = n, false
				fmt.Println("ack", n)
				n++
			}
		}
		switch {
		case errors.Is(err, ErrNoSpace) && !errors.Is(err, ErrPoisoned):
			if got := readCount(s, "k"); !full && got == acknowledged {
				fmt.Println("full")
				full = true
			} else if got != acknowledged {
				fmt.Println("wrong", got, acknowledged)
			}
			time.Sleep(10 * time.Millisecond)
		case err != nil:
			fmt.Println("wrong", err)
			return
		}
		if bytesEach < 1000 {
			time.Sleep(time.Millisecond)
		}
	}
	fmt.Println("closed", s.Close(), s.ballast.there())
}

// onSmallDisk is a childOnSmallDisk and what it has said.
type onSmallDisk struct {
	t     *testing.T
	lines chan string
	stdin io.Closer
	cmd   *exec.Cmd
	acks  int
}

func startOnSmallDisk(t *testing.T, size int, floor uint64, dir string) *onSmallDisk {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("PAYDOOR_STORE_CHILD=disk:%d,%d:%s", size, floor, dir))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &onSmallDisk{t: t, lines: make(chan string, 1<<20), stdin: in, cmd: cmd}
	go func() {
		defer close(c.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return c
}

// until reads what the child says up to a line that begins with a word.
func (c *onSmallDisk) until(word string) string {
	c.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		select {
		case line, ok := <-c.lines:
			if n, err := strconv.Atoi(strings.TrimPrefix(line, "ack ")); err == nil {
				c.acks = n
			}
			if ok && strings.HasPrefix(line, word) {
				return line
			}
			if !ok || strings.HasPrefix(line, "wrong") || strings.HasPrefix(line, "refused") {
				c.t.Fatalf("no %q, but %q, %v", word, line, c.cmd.Wait())
			}
		case <-deadline:
			c.t.Fatalf("no %q within a minute", word)
		}
	}
}

// end closes the child's store and checks that everything acknowledged is in it.
func (c *onSmallDisk) end(dir string) {
	c.t.Helper()
	c.stdin.Close()
	last := c.until("closed")
	if err := c.cmd.Wait(); err != nil || !strings.HasPrefix(last, "closed <nil>") {
		c.t.Fatalf("%v, %s", err, last)
	}
	s := mustOpen(c.t, dir, Options{})
	if n := readCount(s, "k"); n != c.acks {
		c.t.Errorf("%d acknowledged, %d there", c.acks, n)
	}
	for n := 1; n <= c.acks; n++ {
		if _, err := s.Get(fmt.Appendf(nil, "each/%d/0", n)); err != nil {
			c.t.Fatalf("%d of %d: %v", n, c.acks, err)
		}
	}
	c.t.Logf("%d acknowledged, all there", c.acks)
	mustClose(c.t, s)
}

func TestP10ADiskThatWeFill(t *testing.T) {
	if testing.Short() {
		t.Skip("writes some hundred MiB")
	}
	mount, dir := smallDisk(t, "420m")
	c := startOnSmallDisk(t, 200_000, DefaultMinFree, dir)
	c.until("full")
	if err := syscall.Mount("", mount, "", syscall.MS_REMOUNT, "size=600m"); err != nil {
		t.Fatal(err)
	}
	c.until("ack")
	c.until("full")
	c.end(dir)
}

func TestP10ADiskThatAnotherFills(t *testing.T) {
	floors := map[string]uint64{
		"with the guard's usual distance":  DefaultMinFree,
		"faster than the guard can notice": 1 << 20, // the log's own blocks are all there is
	}
	for name, floor := range floors {
		t.Run(name, func(t *testing.T) {
			if floor == DefaultMinFree && testing.Short() {
				t.Skip("writes some hundred MiB")
			}
			mount, dir := smallDisk(t, "420m")
			c := startOnSmallDisk(t, 900, floor, dir)
			c.until("ack 20")
			for range 3 {
				filler := fill(t, mount)
				c.until("full")
				time.Sleep(50 * time.Millisecond)
				if err := os.Remove(filler); err != nil {
					t.Fatal(err)
				}
				c.until("ack")
			}
			c.end(dir)
		})
	}
}

func TestP10ADiskThatIsFullAtOpening(t *testing.T) {
	mount, dir := smallDisk(t, "420m")
	c := startOnSmallDisk(t, 100, DefaultMinFree, dir)
	c.until("ack 100")
	time.Sleep(2 * careEvery) // for the ballast
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for line := range c.lines {
		if n, err := strconv.Atoi(strings.TrimPrefix(line, "ack ")); err == nil {
			c.acks = n
		}
	}
	_ = c.cmd.Wait()
	acknowledged := c.acks
	filler := fill(t, mount)

	c = startOnSmallDisk(t, 100, DefaultMinFree, dir) // by the ballast
	c.until("full")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	c.until("ack")
	if c.acks <= acknowledged {
		t.Errorf("acknowledged %d after %d", c.acks, acknowledged)
	}
	time.Sleep(3 * careEvery)
	c.end(dir)
	if size := (ballast{path: filepath.Join(dir, ballastFile)}).there(); size != DefaultBallast {
		t.Errorf("a ballast of %d bytes", size)
	}

	if err := os.Remove(filepath.Join(dir, ballastFile)); err != nil {
		t.Fatal(err)
	}
	filler = fill(t, mount)
	if _, err := Open(context.Background(), dir, Options{}); !errors.Is(err, ErrNoSpace) || !strings.Contains(err.Error(), "free") {
		t.Fatal(err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	wantValue(t, mustOpen(t, dir, Options{}), "k", strconv.Itoa(c.acks))
}
