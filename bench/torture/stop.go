//go:build linux

package main

// This file is the kind stop: the process stands still for longer than packets live, as on a machine that is suspended or out of breath.

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// shortLife is how far ahead some packets expire: just above the second that the gateway wants to have left.
const shortLife = 1300 * time.Millisecond

// suspend stops the gateway under load, and lets it go on when packets have expired. None of them may be fulfilled then. But nobody can keep
// the kernel from stopping a process between its last look at the clock and its write, some microseconds later, so one cycle in ten may show
// that, and it is counted.
func suspend(ctx context.Context, t *torture, s *series) (err error) {
	b, end, err := s.bed(ctx, plan{binary: t.binary, home: s.home, durability: durGroup})
	if err != nil {
		return err
	}
	defer end(&err)
	b.record.lateness = true
	strikes := 0
	for range s.cycles {
		before := b.record.late
		l := b.startLoad(ctx, false, shortLife)
		time.Sleep(time.Duration(100+b.random.IntN(200)) * time.Millisecond)
		b.gateway.signal(syscall.SIGSTOP)
		still := shortLife + time.Duration(100+b.random.IntN(600))*time.Millisecond
		time.Sleep(still)
		expired := len(b.record.inOrder(func(p *packet) bool { return p.fate == underWay && time.Now().After(p.expires) }))
		b.gateway.signal(syscall.SIGCONT)
		time.Sleep(200 * time.Millisecond)
		l.end()
		b.gateway.kill() // nothing is under way, except what expired between its credit and its Fulfill
		if err := t.recover(ctx, b, fullFlight); err != nil {
			return fmt.Errorf("stopped for %v: %w", still, err)
		}
		if late := b.record.late - before; late > 0 {
			s.result.Counts["fulfilled late"] += uint64(late)
			if strikes++; strikes > 1 {
				return fmt.Errorf("stopped for %v: %d packets were fulfilled after they had expired, and not for the first time", still, late)
			}
		}
		s.result.Counts["expired meanwhile"] += uint64(expired)
		s.done("stopped for %v, in which %d packets expired", still, expired)
	}
	if s.result.Counts["expired meanwhile"] == 0 {
		return fmt.Errorf("no packet expired while the gateway stood still")
	}
	return t.finish(ctx, b)
}
