//go:build linux

package main

// This file tests what a run ends with: what could not run must not pass for what was right.

import (
	"context"
	"testing"
)

func TestWhatCouldNotRun(t *testing.T) {
	passed, failed := &result{Kind: "kill", Wanted: 1, Cycles: 1}, &result{Kind: "kill", Wanted: 1, Failure: "lost"}
	notRun := &result{Kind: "power", Wanted: 1, NotRun: "mkfs.ext4 is missing"}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]struct {
		o     options
		ctx   context.Context
		kinds []*result
		fails bool
	}{
		"all passed":              {options{ci: true}, context.Background(), []*result{passed}, false},
		"one failed":              {options{}, context.Background(), []*result{passed, failed}, true},
		"interrupted":             {options{}, ended, []*result{passed}, true},
		"one not run":             {options{}, context.Background(), []*result{passed, notRun}, false},
		"one not run in CI":       {options{ci: true}, context.Background(), []*result{passed, notRun}, true},
		"one not run, and named":  {options{kinds: []string{"kill", "power"}}, context.Background(), []*result{passed, notRun}, true},
		"nothing but one not run": {options{ci: true}, context.Background(), []*result{notRun}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReport(c.o)
			for _, k := range c.kinds {
				r.add(k)
			}
			if err := r.err(c.ctx); (err != nil) != c.fails {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCIIsSeen(t *testing.T) {
	t.Setenv("CI", "true")
	if o, err := readOptions(nil); err != nil || !o.ci {
		t.Error(o, err)
	}
	t.Setenv("CI", "")
	if o, err := readOptions(nil); err != nil || o.ci {
		t.Error(o, err)
	}
}
