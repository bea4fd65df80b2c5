package store

// This file tests kill -9 while Badger changes logs, flushes and compacts: what such a crash leaves must not look like a loss.

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childUnderLoad writes much, deletes some of it, and says how far it has come.
func childUnderLoad(dir string) {
	s, err := Open(context.Background(), dir, Options{MinFree: 1})
	if err != nil {
		fmt.Println("refused", err)
		os.Exit(1)
	}
	value := bytes.Repeat([]byte("0123456789abcdef"), 64)
	var tickets []Ticket
	for n := readCount(s, "k") + 1; ; n++ {
		ticket, err := s.Join(func(g *Group) {
			g.Put([]byte("k"), []byte(strconv.Itoa(n)))
			for i := range 100 {
				g.Put(fmt.Appendf(nil, "each/%03d/%08x", i, uint32(n)*2654435761), value)
			}
			g.Delete(fmt.Appendf(nil, "each/%03d/%08x", n%100, uint32(n-1)*2654435761))
		})
		if err != nil {
			fmt.Println("refused", err)
			os.Exit(1)
		}
		if tickets = append(tickets, ticket); len(tickets) > 8 {
			if err := tickets[0].Wait(context.Background()); err != nil {
				fmt.Println("refused", err)
				os.Exit(1)
			}
			tickets = tickets[1:]
			fmt.Println("ack", n-8)
		}
	}
}

func TestP1KilledWhileLogsChangeAndTablesAreMade(t *testing.T) {
	dir, acknowledged, logs, made := newDir(t), 0, 0, 0
	random := rand.New(rand.NewPCG(3, 3))
	// A slow machine needs more time to fill a log, and a few rounds more.
	for round := 0; round < 3**rounds || made == 0 && round < 3**rounds+9; round++ {
		before := newestTable(t, dir)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "PAYDOOR_STORE_CHILD=load:"+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		var kill *time.Timer // from its first word on: a busy machine is slow to start it
		after := time.Duration(200+random.IntN(900)+200*max(0, round-3**rounds+1)) * time.Millisecond
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if n, err := strconv.Atoi(strings.TrimPrefix(lines.Text(), "ack ")); err == nil {
				acknowledged = max(acknowledged, n)
				if kill == nil {
					kill = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
				}
			} else if strings.HasPrefix(lines.Text(), "refused") {
				t.Fatal(lines.Text())
			}
		}
		if err := cmd.Wait(); err == nil || kill == nil {
			t.Fatalf("the child was not killed: %v", err)
		}
		kill.Stop()
		mem, _ := filepath.Glob(filepath.Join(dir, databaseDir, "*.mem"))
		logs, made = max(logs, len(mem)), made+newestTable(t, dir)-before
		s := mustOpen(t, dir, Options{})
		if n := readCount(s, "k"); n < acknowledged {
			t.Fatalf("%d acknowledged, %d there", acknowledged, n)
		}
		if _, err := s.Get(fmt.Appendf(nil, "each/%03d/%08x", (acknowledged+50)%100, uint32(acknowledged)*2654435761)); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
	}
	t.Logf("%d acknowledged; at most %d logs after a kill; %d tables made before the kills", acknowledged, logs, made)
	if made == 0 { // each is a log that was full, or several tables in one
		t.Error("no kill came after logs had changed and tables were made")
	}
}

// newestTable returns the number of the last table that Badger has made, 0 if there is none.
func newestTable(t *testing.T, dir string) (newest int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, databaseDir, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		n, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(file), ".sst"))
		if err != nil {
			t.Fatal(err)
		}
		newest = max(newest, n)
	}
	return newest
}
