package store

// This file tests groups: that they are summed up, edited in place, and used again.

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// BeforeCommit sees all joins of a group; with a tail also each join by itself, so that the tail can replace the group.
func TestBeforeCommitSumsUp(t *testing.T) {
	for _, tail := range []bool{false, true} {
		t.Run(fmt.Sprint(tail), func(t *testing.T) {
			dir := newDir(t)
			s := mustOpen(t, dir, Options{Tail: tail})
			sum, calls := 0, 0
			s.BeforeCommit(func(g *Group) {
				calls++
				g.Put([]byte("sum"), fmt.Append(nil, sum))
			})
			const joins = 3 * groupEntries
			var last Ticket
			for i := range joins {
				var err error
				if last, err = s.Join(func(g *Group) { sum++; g.Put(fmt.Append(nil, "k", i), nil) }); err != nil {
					t.Fatal(err)
				}
			}
			if err := last.Wait(context.Background()); err != nil {
				t.Fatal(err)
			}
			wantValue(t, s, "sum", fmt.Sprint(joins))
			mustClose(t, s)
			if want := int(last.Sequence()); !tail && calls != want || tail && calls != joins {
				t.Errorf("%d calls for %d joins in %d groups", calls, joins, want)
			}
			s = mustOpen(t, dir, Options{})
			wantValue(t, s, "sum", fmt.Sprint(joins))
		})
	}
}

func TestEditChangesInPlace(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	k := []byte("k")
	ticket, err := s.Join(func(g *Group) {
		g.Put(k, []byte("longer than the edit"))
		g.Delete(k)
		for i := range 3 {
			b, fresh := g.Edit(k, 4)
			if fresh != (i == 0) || len(b) != 4 || int(b[3]) != i {
				t.Errorf("edit %d: %v, %v", i, b, fresh)
			}
			b[3]++
			for n := range 300 { // others, so that what the group keeps grows meanwhile
				g.Put(fmt.Append(nil, i, "/", n), bytes.Repeat([]byte{9}, 100))
			}
		}
	})
	if err != nil || ticket.Wait(context.Background()) != nil {
		t.Fatal(err)
	}
	wantValue(t, s, "k", "\x00\x00\x00\x03")
}

// The memory of a durable group is used again: nothing of the group may be seen in later ones.
func TestGroupsUsedAgainAreEmpty(t *testing.T) {
	s := mustOpen(t, newDir(t), Options{})
	random := rand.New(rand.NewPCG(1, 1))
	want := map[string]string{}
	for range 60 {
		ticket, err := s.Join(func(g *Group) {
			for range random.IntN(200) {
				k, v := fmt.Sprint(random.IntN(500)), strings.Repeat("v", random.IntN(400))
				if old, ok := g.Value([]byte(k)); ok && string(old) != want[k] {
					t.Errorf("%s has %q in the group, want %q", k, old, want[k])
				}
				g.Put([]byte(k), []byte(v))
				want[k] = v
			}
			if n := len(g.touched); n != 0 {
				t.Errorf("%d entries for a tail", n)
			}
		})
		if err != nil || ticket.Wait(context.Background()) != nil {
			t.Fatal(err)
		}
		n := 0
		for k, v := range want {
			if n++; n > 20 {
				break
			}
			wantValue(t, s, k, v)
		}
	}
	for k, v := range want {
		wantValue(t, s, k, v)
	}
	mustClose(t, s)
	if n := len(s.spare); n > spareGroups {
		t.Errorf("%d groups are kept", n)
	}
}
