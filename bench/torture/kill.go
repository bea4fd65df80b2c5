//go:build linux

package main

// This file is the kind kill: kill -9 at a random moment of the load.

import (
	"context"
	"fmt"
	"time"
)

// killAtRandom kills the gateway after 30 to 350 ms of load, again and again on one ledger. Each start has one of both durabilities.
func killAtRandom(ctx context.Context, t *torture, s *series) (err error) {
	b, end, err := s.bed(ctx, plan{binary: t.binary, home: s.home})
	if err != nil {
		return err
	}
	defer end(&err)
	for range s.cycles {
		after := time.Duration(30+b.random.IntN(320)) * time.Millisecond
		durability := b.settings.durability
		l := b.startLoad(ctx, false, 0)
		select {
		case <-time.After(after):
		case <-ctx.Done():
		}
		b.gateway.kill()
		l.end()
		c := b.record.count()
		if err := t.recover(ctx, b, fullFlight); err != nil {
			return fmt.Errorf("killed after %v: %w", after, err)
		}
		s.result.Counts["open packets"] += uint64(c.underWay)
		s.result.Counts["open requests"] += c.unknown
		s.done("killed %v into the load; durability %s, %d packets and %d requests open", after, durability, c.underWay, c.unknown)
	}
	return t.finish(ctx, b)
}

// closing closes the bed, and lets the first error stand.
func closing(err error, b *bed) error {
	if closed := b.close(); err == nil {
		return closed
	}
	return err
}
