package store

import (
	"context"
	"sync"
	"testing"
	"time"
)

// What is waited for depends on what came before.
func TestCompanyWanted(t *testing.T) {
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	for name, c := range map[string]struct {
		company
		want int
	}{
		"the first group":           {company{}, 0},
		"one at a time":             {company{last: 1, most: 1, began: ago(time.Microsecond), groups: 9}, 0},
		"few":                       {company{last: 2, most: 4, began: ago(time.Hour), groups: 9}, 0},
		"many":                      {company{last: 3, most: 12, began: ago(time.Microsecond), groups: 9}, 12},
		"very many":                 {company{last: 300, most: 400, began: ago(time.Microsecond), groups: 9}, companyEnough},
		"many, and time to look":    {company{last: 3, most: 12, began: ago(time.Microsecond), groups: 1}, companyEnough},
		"nobody came the last time": {company{last: 3, most: 12, began: ago(time.Microsecond), groups: 9, lonely: 1}, 0},
	} {
		if got := c.wanted(); got != c.want {
			t.Errorf("%s: %d are waited for, want %d", name, got, c.want)
		}
	}
}

// Whoever comes and goes, each gets an answer, and closing waits for nobody.
func TestCompanyHoldsNobodyUp(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{Journal: true})
	for _, workers := range []int{1, 2, 40, 3} {
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				for range 30 {
					ticket, err := s.Join(func(g *Group) { g.Put([]byte{byte('a' + w)}, []byte("x")) })
					if err == nil {
						err = ticket.Wait(context.Background())
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
	}
	last := put(t, s, "last", "one")
	mustClose(t, s)
	if err := last.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	wantValue(t, mustOpen(t, dir, Options{}), "last", "one")
}
