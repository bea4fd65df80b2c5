//go:build linux

package main

// This file is the list of kinds of faults, and how a kind is run: in series, each on a ledger and with a seed of its own, so that a failure can be
// replayed without all that came before.

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// kind is one kind of fault.
type kind struct {
	name   string
	short  int // cycles in the short form
	long   int
	series int // cycles on one ledger; a multiple of the variants, so that a series can be replayed by itself
	needs  func() error
	// run does the cycles of one series, and counts each that was right.
	run func(ctx context.Context, t *torture, s *series) error
}

var kinds []kind

func init() {
	kinds = []kind{
		{name: "kill", short: 16, long: 300, series: 20, run: killAtRandom},
		{name: "failpoint", short: len(failpoints), long: 10 * len(failpoints), series: len(failpoints), run: killAtFailpoints},
		{name: "power", short: 6, long: 20, series: 10, needs: needRoot("mount", "mkfs.ext4"), run: cutPower},
		{name: "full", short: 4, long: 20, series: 8, needs: needRoot(), run: fillDisk},
		{name: "eio", short: 4, long: 24, series: 12, needs: needTracer, run: failSync},
		{name: "corrupt", short: 40, long: 300, series: 60, run: corrupt},
		{name: "two", short: 2, long: 6, series: 6, run: startTwice},
		{name: "stop", short: 3, long: 20, series: 10, run: suspend},
		{name: "reload", short: 2, long: 20, series: 5, run: reload},
	}
}

func kindNames() (names []string) {
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// series is some cycles on one ledger.
type series struct {
	seed   uint64
	first  int // number of the first cycle, of all of the kind
	cycles int
	home   string // an empty directory

	result *result
	say    func(format string, a ...any)
}

// done counts a cycle that was right, with what was special about it.
func (s *series) done(format string, a ...any) {
	s.result.Cycles++
	s.say("%s %d/%d: "+format, append([]any{s.result.Kind, s.result.Cycles, s.result.Wanted}, a...)...)
}

// runKind runs one kind until all cycles are done or one has failed.
func (t *torture) runKind(ctx context.Context, k kind) *result {
	wanted := k.long
	if t.short {
		wanted = k.short
	}
	if t.cycles > 0 {
		wanted = t.cycles
	}
	r := &result{Kind: k.name, Wanted: wanted, Counts: make(map[string]uint64)}
	if k.needs != nil {
		if err := k.needs(); err != nil {
			r.NotRun = err.Error()
			t.say("%s: not run: %v", k.name, err)
			return r
		}
	}
	begin := time.Now()
	for n := 0; r.Cycles < wanted && r.Failure == "" && ctx.Err() == nil; n++ {
		s := &series{
			// The first series of a run has the seed of the run, so that each can be replayed as the first of another.
			seed: t.seed + uint64(n), first: r.Cycles, cycles: min(k.series, wanted-r.Cycles), result: r, say: t.say,
			home: filepath.Join(t.work, fmt.Sprintf("%s.%d", k.name, n)),
		}
		err := os.Mkdir(s.home, 0o700)
		if err == nil {
			err = k.run(ctx, t, s)
		}
		if err == nil && r.Cycles < s.first+s.cycles {
			err = fmt.Errorf("only %d of %d cycles were done", r.Cycles-s.first, s.cycles)
		}
		if err != nil && ctx.Err() == nil {
			r.Failure = err.Error()
			r.Replay = fmt.Sprintf("go run ./bench/torture -kinds %s -seed %d -cycles %d", k.name, s.seed, s.cycles)
			t.say("%s FAILED: %s\nreplay with: %s", k.name, r.Failure, r.Replay)
			break
		}
		if err := os.RemoveAll(s.home); err != nil {
			r.Failure = err.Error()
		}
	}
	r.Seconds = time.Since(begin).Seconds()
	return r
}

// bed makes a bed for the series and funds its tokens. end is to be deferred: it takes the counts over and closes the bed, and its error
// counts if there was none before.
func (s *series) bed(ctx context.Context, p plan) (b *bed, end func(err *error), err error) {
	if b, err = newBed(p, s.seed); err != nil {
		return nil, nil, err
	}
	end = func(err *error) {
		s.collect(b)
		*err = closing(*err, b)
	}
	if err = b.fund(ctx); err != nil {
		end(&err)
		return nil, nil, err
	}
	return b, end, nil
}

// collect adds what a bed has counted to the result.
func (s *series) collect(b *bed) {
	c := b.record.count()
	for name, n := range map[string]uint64{
		"packets": uint64(c.sent), "fulfilled": uint64(c.fulfilled), "rejected": uint64(c.rejected), "paid": c.paid,
	} {
		s.result.Counts[name] += n
	}
}
