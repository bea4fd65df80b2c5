package connector

// This file tests kill -9: a child process forwards packets, says over a pipe which were fulfilled, and is killed.

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

const killWorkers = 8

// child forwards packets until it is killed. Every worker is an account that sends 1, 2, 3 … to bob.
func child(dir string) {
	s, err := store.Open(context.Background(), dir, store.Options{MinFree: 1, Ballast: -1})
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	b, err := OpenBooks(s)
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	c := Config{
		Address: "test.gw", Asset: usd9, Books: b, Routes: []Route{{"test.bob", "bob"}},
		Accounts: []Account{{ID: "bob", Link: linkFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply { return fulfilled(in) })}},
	}
	for w := range killWorkers {
		c.Accounts = append(c.Accounts, Account{ID: worker(w), MaxPacketsPerMinute: 1 << 30})
	}
	n, err := NewNode(c)
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	for w := range killWorkers {
		go func() {
			for x := amount.Amount(1); ; x++ {
				in := paying(worker(w), x, "test.bob")
				in.ExpiresAt = time.Now().Add(20 * time.Second)
				if reply := n.HandlePrepare(context.Background(), in); !reply.Fulfilled {
					fmt.Println("failed", reply.Message)
					return
				}
				fmt.Println("done", w, uint64(x)) // one write, shorter than a pipe's buffer
			}
		}()
	}
	select {}
}

func worker(w int) ilpcore.AccountID { return ilpcore.AccountID(fmt.Sprintf("worker%d", w)) }

func TestKilledNodeKeepsWhatItFulfilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PAYDOOR_NODE_CHILD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var last [killWorkers]int64 // what was fulfilled last
	lines := bufio.NewScanner(out)
	for seen := 0; lines.Scan(); seen++ {
		var w int
		var x int64
		if _, err := fmt.Sscanf(lines.Text(), "done %d %d", &w, &x); err != nil {
			t.Errorf("the child says %q", lines.Text())
			break
		}
		last[w] = x
		if seen == 300 {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	b := openBooks(t, openStore(t, dir, store.Options{}))
	total := int64(0)
	for w, x := range last {
		fulfilled := x * (x + 1) / 2
		got := balanceOf(b, worker(w)).Clearing
		// The packet after the last one that was told may have been written down.
		if got != -fulfilled && got != -(fulfilled+x+1) {
			t.Errorf("worker %d: %d after %d packets", w, got, x)
		}
		total += got
	}
	if got := balanceOf(b, "bob").Clearing; got != -total || total == 0 {
		t.Errorf("bob has %d, the others %d", got, total)
	}
}
