//go:build linux

package main

// This file is the kind full: a small disk that we fill, that somebody else fills, and that is full when the gateway starts.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	fullDisk   = 192 // MiB
	fullFloor  = 96  // MiB that must stay free for money to be taken
	fullWithin = 20 * time.Second
)

// fillings are the ways in which the disk becomes full.
var fillings = []string{"by us", "by another", "at start"}

// fillDisk fills the disk in each way by turns.
func fillDisk(ctx context.Context, t *torture, s *series) (err error) {
	d, err := makeTmpfs(s.home, fullDisk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.off()) }()
	b, err := newBed(plan{binary: t.binary, home: s.home, data: filepath.Join(d.mount, "data"), minFree: fmt.Sprintf("%dMiB", fullFloor)}, s.seed)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, b) }()
	defer func() { s.collect(b) }()
	if err := b.fund(ctx); err != nil {
		return err
	}
	for n := range s.cycles {
		how := fillings[(s.first+n)%len(fillings)]
		if how == "at start" {
			err = b.startOnFull(d)
		} else {
			err = b.fillUnderLoad(ctx, d, how)
		}
		if err != nil {
			return fmt.Errorf("filled %s: %w", how, err)
		}
		b.gateway.kill() // nothing is under way
		if err := t.recover(ctx, b, flight{}); err != nil {
			return fmt.Errorf("filled %s: %w", how, err)
		}
		s.result.Counts[how]++
		s.done("the disk was filled %s, and freed again", how)
	}
	return t.finish(ctx, b)
}

// fillUnderLoad fills the disk under load, wants reads to go on and money to wait, frees it, and wants money to be taken again.
func (b *bed) fillUnderLoad(ctx context.Context, d *disk, how string) error {
	l := b.startLoad(ctx, true, 0)
	defer l.end()
	leave := int64(0)
	if how == "by us" {
		leave = fullFloor<<20 + 1<<20 // the load takes the rest
	}
	ballast, err := d.fill(leave)
	if err != nil {
		return err
	}
	if err := b.awaitReadiness(ctx, http.StatusServiceUnavailable); err != nil {
		return fmt.Errorf("the disk is nearly full: %w", err)
	}
	time.Sleep(300 * time.Millisecond) // for what was under way
	before := b.record.count()
	time.Sleep(300 * time.Millisecond)
	after := b.record.count()
	if after.fulfilled != before.fulfilled || after.paid != before.paid || after.rejected == before.rejected {
		return fmt.Errorf("money is taken on a full disk: %+v, then %+v", before, after)
	}
	if _, _, err := b.quote(ctx, &b.tokens[0]); err != nil {
		return fmt.Errorf("reading does not go on: %w", err)
	}
	if !b.gateway.alive() {
		return fmt.Errorf("the gateway has ended:\n%s", b.gateway.lastWords(2000))
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if err := b.awaitReadiness(ctx, http.StatusOK); err != nil {
		return fmt.Errorf("the disk has space again: %w", err)
	}
	return b.awaitBusiness(ctx)
}

// awaitReadiness waits for a status of the readiness endpoint.
func (b *bed) awaitReadiness(ctx context.Context, status int) error {
	begin := time.Now()
	for b.gateway.ready(ctx) != status {
		if !b.gateway.alive() {
			return fmt.Errorf("the gateway has ended:\n%s", b.gateway.lastWords(2000))
		}
		if time.Since(begin) > fullWithin || ctx.Err() != nil {
			return fmt.Errorf("readiness is not %d within %v", status, fullWithin)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// awaitBusiness waits until packets are fulfilled and requests are paid.
func (b *bed) awaitBusiness(ctx context.Context) error {
	before := b.record.count()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if now := b.record.count(); now.fulfilled > before.fulfilled && now.paid > before.paid {
			return nil
		}
		if time.Since(begin) > fullWithin || ctx.Err() != nil {
			return fmt.Errorf("no money was taken again within %v", fullWithin)
		}
	}
}

// startOnFull wants a gateway that starts on a full disk to end with words, and to lose nothing.
func (b *bed) startOnFull(d *disk) error {
	b.gateway.kill()
	ballast, err := d.fill(0)
	if err != nil {
		return err
	}
	if err := b.gateway.launch(); err != nil {
		return err
	}
	select {
	case <-b.gateway.exited:
	case <-time.After(fullWithin):
		return errors.New("the gateway has started on a full disk")
	}
	if b.gateway.status() <= 0 {
		return fmt.Errorf("the gateway ended with status %d:\n%s", b.gateway.status(), b.gateway.lastWords(2000))
	}
	return os.Remove(ballast)
}

// fill writes a file until so many bytes are left.
func (d *disk) fill(leave int64) (path string, err error) {
	path = filepath.Join(d.mount, "ballast")
	f, err := os.Create(path)
	if err != nil {
		return path, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	block := make([]byte, 256<<10)
	for {
		free, err := d.free()
		if err != nil || free <= leave {
			return path, err
		}
		if _, err := f.Write(block[:min(int64(len(block)), free-leave)]); errors.Is(err, unix.ENOSPC) {
			return path, nil
		} else if err != nil {
			return path, err
		}
	}
}
