package store

// This file tests the tail: what it replays, and where it stops.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
)

// A crash between Join and the commit loses nothing with a tail, and all of it without.
func TestTailKeepsWhatWasJoined(t *testing.T) {
	for _, tail := range []bool{true, false} {
		t.Run(fmt.Sprint(tail), func(t *testing.T) {
			hold := make(chan struct{})
			dir := newDir(t)
			s := mustOpen(t, dir, Options{Tail: tail, Fault: func(at Point, n uint64) error {
				if at == BeforeSidecar && n >= 3 {
					<-hold
				}
				if at == BeforeCommit && n >= 3 {
					<-hold
					return errors.New("crashed")
				}
				return nil
			}})
			putDurably(t, s, "k", "1")
			putDurably(t, s, "gone", "1")
			held := put(t, s, "k", "2")
			for s.Backlog() == 0 { // until group 3 is being committed
				if s.Err() != nil {
					t.Fatal(s.Err())
				}
			}
			for i := range groupEntries + 5 {
				put(t, s, fmt.Sprintf("many/%d", i), "v")
			}
			big := bytes.Repeat([]byte("x"), MaxValue)
			for i := range 60 { // more than both files take before they turn
				put(t, s, fmt.Sprintf("big/%d", i), string(big))
			}
			if _, err := s.Join(func(g *Group) { g.Delete([]byte("gone")); g.Put([]byte("k"), []byte("3")) }); err != nil {
				t.Fatal(err)
			}
			crashed := copyDir(t, dir)
			close(hold)
			if err := held.Wait(context.Background()); !errors.Is(err, ErrPoisoned) {
				t.Fatal(err)
			}
			again := mustOpen(t, crashed, Options{})
			if !tail {
				wantValue(t, again, "k", "1")
				wantValue(t, again, "gone", "1")
				return
			}
			wantValue(t, again, "k", "3")
			wantValue(t, again, "gone", "")
			wantValue(t, again, fmt.Sprintf("many/%d", groupEntries+4), "v")
			wantValue(t, again, "big/0", string(big))
			wantValue(t, again, "big/59", string(big))
			if again.Durable() < 8 {
				t.Errorf("%d groups", again.Durable())
			}
			putDurably(t, again, "k", "4")
			mustClose(t, again)
			for i := range 2 {
				if _, err := os.Stat(tailPath(crashed, i)); err == nil {
					t.Error("a tail is left that nobody wants")
				}
			}
			wantValue(t, mustOpen(t, crashed, Options{Tail: true}), "k", "4")
		})
	}
}

func TestTailFilesTakeTurns(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{Tail: true})
	big := bytes.Repeat([]byte("x"), 60<<10)
	for i := range 100 {
		putDurably(t, s, "k", string(big)+fmt.Sprint(i))
	}
	for i := range 2 {
		info, err := os.Stat(tailPath(dir, i))
		if err != nil || info.Size() < tailTurn || info.Size() > 2*tailTurn {
			t.Errorf("tail.%d: %v, %v", i, info.Size(), err)
		}
	}
	for last := range uint64(100) {
		records, err := readTail(dir, last)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(records); last >= 90 && n != int(100-last) {
			t.Errorf("%d records after group %d", n, last)
		}
	}
	crashed := copyDir(t, dir)
	wantValue(t, mustOpen(t, crashed, Options{}), "k", string(big)+"99")
}

func TestReplayStopsAtAGap(t *testing.T) {
	r := func(sequence uint64, index, before uint32) joinRecord {
		return joinRecord{sequence: sequence, index: index, before: before}
	}
	cases := []struct {
		name    string
		records []joinRecord
		want    int
	}{
		{"whole", []joinRecord{r(4, 0, 7), r(4, 1, 7), r(5, 0, 2), r(6, 0, 1)}, 4},
		{"first group not there", []joinRecord{r(5, 0, 2), r(6, 0, 1)}, 0},
		{"first join not there", []joinRecord{r(4, 1, 7), r(5, 0, 2)}, 0},
		{"middle join not there", []joinRecord{r(4, 0, 7), r(4, 2, 7), r(5, 0, 3)}, 1},
		{"last join not there", []joinRecord{r(4, 0, 7), r(5, 0, 2)}, 1},
		{"a group not there", []joinRecord{r(4, 0, 7), r(6, 0, 1)}, 1},
		{"none", nil, 0},
	}
	for _, c := range cases {
		if got := withoutGap(c.records, 3); len(got) != c.want {
			t.Errorf("%s: %d records, want %d", c.name, len(got), c.want)
		}
	}
}

// Whatever a power cut makes of a tail, what is replayed is a beginning of what was joined.
func FuzzReadTail(f *testing.F) {
	f.Add(uint32(0), byte(1), uint32(0))
	f.Add(uint32(100), byte(0), uint32(60))
	f.Fuzz(func(t *testing.T, at uint32, flip byte, cut uint32) {
		dir := t.TempDir()
		w, err := openTail(dir)
		if err != nil {
			t.Fatal(err)
		}
		var joined []string
		for sequence := uint64(1); sequence <= 3; sequence++ {
			g := newGroup(sequence)
			g.track = true
			for j := range 3 {
				g.touched = g.touched[:0]
				value := fmt.Sprint(sequence, j)
				g.Put([]byte("k"), []byte(value))
				joined = append(joined, value)
				if err := w.append(g, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(tailPath(dir, 0))
		if err != nil {
			t.Fatal(err)
		}
		b[int(at)%len(b)] ^= flip
		b = b[:len(b)-int(cut)%len(b)]
		if err := os.WriteFile(tailPath(dir, 0), b, 0o600); err != nil {
			t.Fatal(err)
		}
		records, err := readTail(dir, 0)
		if err != nil || (flip == 0 && int(cut)%len(b) == 0 && len(records) == 0) {
			t.Fatal(len(records), err)
		}
		for i, r := range records {
			if string(r.entries[0].value) != joined[i] {
				t.Fatalf("record %d is %q, want %q", i, r.entries[0].value, joined[i])
			}
		}
	})
}

func FuzzDecodeJoin(f *testing.F) {
	f.Add(appendEntry(nil, &entry{key: []byte("k"), value: []byte("v")}))
	f.Add(appendEntry(nil, &entry{key: []byte("k"), remove: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		decodeJoin(b)
		entries, ok := decodeEntries(b)
		if !ok {
			return
		}
		var again []byte
		for i := range entries {
			again = appendEntry(again, &entries[i])
		}
		if !bytes.Equal(again, b) {
			t.Fatal("entries do not survive encoding")
		}
	})
}
