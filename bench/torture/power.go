//go:build linux

package main

// This file is the kind power: the power of the disk is cut under load, so that what was not synced is gone.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// smallMemtable makes Badger begin a new log, and write the old one into a table, every second or so under this load.
const smallMemtable = "PAYDOOR_FAILPOINT_MEMTABLE=1048576"

// rotateWithin is how long the load may take to fill a memtable.
const rotateWithin = 20 * time.Second

// cutPower cuts the power again and again on one disk; every other time only after Badger has begun a new log in the load.
func cutPower(ctx context.Context, t *torture, s *series) (err error) {
	d, err := makeExt4(s.home, 256)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.off()) }()
	b, end, err := s.bed(ctx, plan{binary: t.prepared, home: s.home, durability: durGroup, data: filepath.Join(d.mount, "data"), env: []string{smallMemtable}})
	if err != nil {
		return err
	}
	defer end(&err)
	for n := range s.cycles {
		if err := t.cutOnce(ctx, b, d, s, (s.first+n)%2 == 1); err != nil {
			return err
		}
	}
	return t.finish(ctx, b)
}

func (t *torture) cutOnce(ctx context.Context, b *bed, d *disk, s *series, rotate bool) error {
	before, err := b.logs()
	if err != nil {
		return err
	}
	l := b.startLoad(ctx, false, 0)
	if rotate {
		err = b.awaitLog(ctx, before)
	}
	after := time.Duration(20+b.random.IntN(200)) * time.Millisecond
	time.Sleep(after)
	// The process stops first, for a machine without power sends nothing: while ext4 shuts down, a sync can return success and be lost.
	if err == nil {
		err = errors.Join(b.gateway.freeze(), d.cut())
	}
	b.gateway.kill()
	l.end()
	if err == nil {
		err = errors.Join(d.off(), d.on())
	}
	if err != nil {
		return err
	}
	begun, err := b.logs()
	if err != nil {
		return err
	}
	c := b.record.count()
	if err := t.recover(ctx, b, fullFlight); err != nil {
		return fmt.Errorf("power cut after %v: %w", after, err)
	}
	if rotate {
		s.result.Counts["across a rotation"]++
	}
	s.result.Counts["open packets"] += uint64(c.underWay)
	s.result.Counts["open requests"] += c.unknown
	s.done("power cut %v into the load (log %s, then %s); %d packets and %d requests open", after, before, begun, c.underWay, c.unknown)
	return nil
}

// awaitLog returns when Badger has begun a log after the one named.
func (b *bed) awaitLog(ctx context.Context, after string) error {
	for begin := time.Now(); time.Since(begin) < rotateWithin && ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
		newest, err := b.logs()
		if err != nil || newest > after {
			return err
		}
	}
	return fmt.Errorf("no memtable was filled within %v", rotateWithin)
}

// logs returns the name of the newest log of the database.
func (b *bed) logs() (newest string, err error) {
	files, err := os.ReadDir(filepath.Join(b.settings.data, "ledger", "db"))
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".mem") {
			newest = max(newest, f.Name())
		}
	}
	return newest, err
}
