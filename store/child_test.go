package store

// This file tests kill -9: a child process acknowledges over a pipe and is killed; what it acknowledged must be there.

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

const childWorkers = 8

// children are child processes with another job than child's.
var children = map[string]func(spec string){"poison": childUntilPoisoned, "disk": childOnSmallDisk, "load": childUnderLoad}

// child counts up one key per worker and one that all share, and writes "worker count" when the store has promised it, until it is killed.
func child(spec string) {
	mode, dir, _ := strings.Cut(spec, ":")
	if work, ok := children[mode]; ok {
		work(dir)
		return
	}
	s, err := Open(context.Background(), dir, Options{Tail: strings.HasSuffix(mode, "tail"), Journal: strings.HasPrefix(mode, "journal"), MinFree: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	total := readCount(s, "total")
	done := make(chan struct{})
	for w := range childWorkers {
		go func() {
			key := fmt.Sprintf("k/%d", w)
			for n := readCount(s, key) + 1; ; n++ {
				ticket, err := s.Join(func(g *Group) {
					total++
					g.Put([]byte(key), []byte(strconv.Itoa(n)))
					g.Put([]byte("total"), []byte(strconv.Itoa(total)))
					g.Put(fmt.Appendf(nil, "each/%s/%d", key, n), nil)
				})
				if err == nil && !strings.HasSuffix(mode, "tail") || s.Backlog() > 20 {
					err = ticket.Wait(context.Background())
				}
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				if n%10 == 0 || !strings.HasSuffix(mode, "tail") {
					os.Stdout.WriteString(fmt.Sprintf("%d %d\n", w, n))
				}
			}
		}()
	}
	<-done
}

func readCount(s *Store, key string) int {
	v, _ := s.Get([]byte(key))
	n, _ := strconv.Atoi(string(v))
	return n
}

func TestP1KilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	for _, mode := range []string{"group", "tail", "journal", "journal and tail"} {
		t.Run(mode, func(t *testing.T) {
			dir := newDir(t)
			acknowledged := map[int]int{}
			for round := range 5 {
				runAndKill(t, mode+":"+dir, time.Duration(50+round*60)*time.Millisecond, acknowledged)
				s := mustOpen(t, dir, Options{Journal: round%2 == 0})
				sum := 0
				for w := range childWorkers {
					n := readCount(s, fmt.Sprintf("k/%d", w))
					if n < acknowledged[w] {
						t.Fatalf("worker %d: %d acknowledged, %d there", w, acknowledged[w], n)
					}
					sum += n
				}
				if total := readCount(s, "total"); total != sum {
					t.Fatalf("total %d, sum %d", total, sum)
				}
				each := 0
				if err := s.Iterate([]byte("each/"), func(_, _ []byte) error { each++; return nil }); err != nil || each != sum {
					t.Fatalf("%d joins, %d records, %v", sum, each, err)
				}
				mustClose(t, s)
			}
			if len(acknowledged) != childWorkers {
				t.Fatalf("only %d workers were heard of", len(acknowledged))
			}
		})
	}
}

// runAndKill starts this test binary as a child, lets it work for a while from its first word on, kills it, and notes its acknowledgements.
func runAndKill(t *testing.T, spec string, after time.Duration, acknowledged map[int]int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PAYDOOR_STORE_CHILD="+spec)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	first := true
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var w, n int
		if _, err := fmt.Sscanf(lines.Text(), "%d %d", &w, &n); err != nil {
			continue // cut by the kill
		}
		acknowledged[w] = max(acknowledged[w], n)
		if first {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
			first = false
		}
	}
	if err := cmd.Wait(); err == nil || first {
		t.Fatalf("the child was not killed: %v", err)
	}
}
