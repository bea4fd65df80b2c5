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
	busy := company{last: 3, most: 12, began: ago(time.Microsecond), groups: 9, pace: 100 * time.Microsecond}
	with := func(change func(c *company)) company { c := busy; change(&c); return c }
	for name, c := range map[string]struct {
		company
		underWay int
		want     int
		patience time.Duration
	}{
		"the first group":             {company{}, 1, 0, 0},
		"one at a time":               {with(func(c *company) { c.last, c.most = 1, 1 }), 1, 0, 0},
		"few":                         {with(func(c *company) { c.last, c.most, c.began = 2, 4, ago(time.Hour) }), 2, 0, 0},
		"many":                        {busy, 3, 12, companyWait},
		"very many":                   {with(func(c *company) { c.last, c.most = 300, 400 }), 300, companyEnough, companyWait},
		"many, and time to look":      {with(func(c *company) { c.groups = 1 }), 3, companyEnough, companyWait},
		"nobody came the last time":   {with(func(c *company) { c.lonely = 1 }), 400, 0, 0},
		"hardly more are under way":   {busy, 47, 12, companyWait},
		"many more are under way":     {busy, 64, 16, expectedWait},
		"very many more":              {busy, 4000, expectedEnough, expectedWait},
		"many under way, but slow":    {with(func(c *company) { c.pace = 480 * time.Microsecond }), 4000, 25, expectedWait},
		"many under way, and few end": {with(func(c *company) { c.began = ago(time.Hour) }), 4000, 0, 0},
	} {
		if joins, patience := c.wanted(c.underWay); joins != c.want || patience != c.patience {
			t.Errorf("%s: %d are waited for, for %v; want %d and %v", name, joins, patience, c.want, c.patience)
		}
	}
}

// The pace is that of the last groups, and forgets slowly.
func TestCompanyPace(t *testing.T) {
	now := time.Now()
	c := company{began: now}
	for range 30 {
		now = now.Add(4 * time.Millisecond)
		c.left(8, now)
	}
	if c.pace < 490*time.Microsecond || c.pace > 510*time.Microsecond || c.most != 8 || c.last != 8 {
		t.Errorf("after groups of 8 every 4 ms the pace is %v, the most %d and the last %d", c.pace, c.most, c.last)
	}
	if c.left(8, now.Add(time.Second)); c.pace < 30*time.Millisecond {
		t.Errorf("after a second of rest the pace is still %v", c.pace)
	}
}

// Whoever comes and goes, each gets an answer, and closing waits for nobody.
func TestCompanyHoldsNobodyUp(t *testing.T) {
	dir := newDir(t)
	s := mustOpen(t, dir, Options{Journal: true})
	s.Expect(1000) // they never come
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

// A join that stands for many is so much company.
func TestAJoinThatStandsForMany(t *testing.T) {
	var commits []Commit
	s := mustOpen(t, newDir(t), Options{Journal: true, Observe: func(c Commit) { commits = append(commits, c) }})
	ticket, err := s.Join(func(g *Group) {
		g.Put([]byte("k"), []byte("v"))
		g.StandsFor(50)
	})
	if err != nil || ticket.Wait(t.Context()) != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	if len(commits) != 1 || commits[0].Joins != 50 {
		t.Errorf("%+v", commits)
	}
}
