//go:build linux

package main

// This file is the kind two: a second process on a directory that is in use.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// refuseWithin is how long the second process may try.
const refuseWithin = 12 * time.Second

// startTwice starts a second gateway on the same directory, under its own name and through a symbolic link by turns, while the first works.
func startTwice(ctx context.Context, t *torture, s *series) (err error) {
	b, end, err := s.bed(ctx, plan{binary: t.binary, home: s.home, durability: durGroup})
	if err != nil {
		return err
	}
	defer end(&err)
	alias := filepath.Join(s.home, "alias")
	if err := os.Symlink(b.settings.data, alias); err != nil {
		return err
	}
	l := b.startLoad(ctx, false, 0) // not persistent: every one of the first's answers has to come
	for n := range s.cycles {
		data, how := b.settings.data, "directly"
		if (s.first+n)%2 == 1 {
			data, how = alias, "by a symbolic link"
		}
		took, err := b.refuseSecond(ctx, filepath.Join(s.home, fmt.Sprintf("second.%d", n)), data)
		if err != nil {
			l.end()
			return fmt.Errorf("a second process %s: %w", how, err)
		}
		s.done("the second process, %s, gave up after %v", how, took.Round(10*time.Millisecond))
	}
	l.end()
	if c := b.record.count(); c.underWay > 0 || c.unknown > 0 || c.rejected > 0 || c.fulfilled == 0 || c.paid == 0 {
		return fmt.Errorf("the first process did not go on undisturbed: %+v", c)
	}
	return t.finish(ctx, b)
}

// refuseSecond runs a gateway on data, and wants it to end by itself with words about it.
func (b *bed) refuseSecond(ctx context.Context, home, data string) (took time.Duration, err error) {
	if err := os.Mkdir(home, 0o700); err != nil {
		return 0, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return 0, err
	}
	other := b.settings
	other.data, other.admin, other.site, other.node = data, ports[0], ports[1], ports[2]
	if err := os.WriteFile(filepath.Join(home, "Caddyfile"), []byte(other.caddyfile()), 0o600); err != nil {
		return 0, err
	}
	second := &gateway{binary: b.plan.binary, home: home, admin: other.admin, site: other.site, client: b.client}
	begin := time.Now()
	if err := second.launch(); err != nil {
		return 0, err
	}
	defer second.kill()
	select {
	case <-second.exited:
	case <-time.After(refuseWithin):
		return 0, fmt.Errorf("it still runs after %v", refuseWithin)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	took = time.Since(begin)
	if second.status() <= 0 {
		return took, fmt.Errorf("it ended with status %d", second.status())
	}
	if h := second.horror(); h != "" {
		return took, errors.New(h)
	}
	if words := second.lastWords(3000); !strings.Contains(words, "another process") {
		return took, fmt.Errorf("it does not say why:\n%s", words)
	}
	return took, nil
}
