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

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	fullDisk   = 192 // MiB
	fullFloor  = 96  // MiB that must stay free for money to be taken
	fullWithin = 30 * time.Second
	fillRate   = 64 << 20               // bytes a second that another writes
	refuseSoon = 5 * time.Second        // for an answer on a full disk
	closeFor   = 500 * time.Millisecond // how long readiness has to be down to be down for good
)

// fillings are the ways in which the disk becomes full. At once means faster than anybody can look: Badger may then write into a mapped file that
// gets no blocks, which ends the process, and nothing may be lost by that.
var fillings = []string{"by us", "by another", "at start", "at once"}

// fillDisk fills the disk in each way by turns.
func fillDisk(ctx context.Context, t *torture, s *series) (err error) {
	d, err := makeTmpfs(s.home, fullDisk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.off()) }()
	b, end, err := s.bed(ctx, plan{
		binary: t.prepared, env: []string{smallMemtable}, home: s.home, durability: durGroup, data: filepath.Join(d.mount, "data"), minFree: fmt.Sprintf("%dMiB", fullFloor),
	})
	if err != nil {
		return err
	}
	defer end(&err)
	for n := range s.cycles {
		how := fillings[(s.first+n)%len(fillings)]
		switch how {
		case "at start":
			err = b.startOnFull(d)
		case "at once":
			err = b.fillAtOnce(ctx, d, s)
		default:
			err = b.fillUnderLoad(ctx, d, how)
		}
		if err != nil {
			return fmt.Errorf("filled %s: %w", how, err)
		}
		b.gateway.kill() // nothing is under way
		if err := t.recover(ctx, b, fullFlight); err != nil {
			return fmt.Errorf("filled %s: %w", how, err)
		}
		b.mayDie = false
		s.result.Counts[how]++
		s.done("the disk was filled %s, and freed again", how)
	}
	return t.finish(ctx, b)
}

// fillUnderLoad fills the disk under load, wants reads to go on and money to wait, frees it, and wants money to be taken again.
func (b *bed) fillUnderLoad(ctx context.Context, d *disk, how string) error {
	l := b.startLoad(ctx, true, 0)
	defer l.end()
	ballast, err := d.fill((fullFloor+2)<<20, 0) // the load takes the rest
	if err == nil && how == "by another" {
		ballast, err = d.fill(0, fillRate)
	}
	if err != nil {
		return err
	}
	if err := b.awaitClosing(ctx); err != nil {
		return fmt.Errorf("the disk is nearly full: %w", err)
	}
	if err := b.refuses(ctx); err != nil {
		return err
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

// awaitClosing waits until the gateway is not ready, and stays so: while it flushes a log it may have space again.
func (b *bed) awaitClosing(ctx context.Context) error {
	begin := time.Now()
	for {
		if err := b.awaitReadiness(ctx, http.StatusServiceUnavailable); err != nil {
			return err
		}
		closed := time.Now()
		for time.Since(closed) < closeFor && b.gateway.ready(ctx) == http.StatusServiceUnavailable {
			time.Sleep(5 * time.Millisecond)
		}
		if time.Since(closed) >= closeFor {
			return nil
		}
		if time.Since(begin) > fullWithin || ctx.Err() != nil {
			return fmt.Errorf("the gateway is ready again and again after %v", fullWithin)
		}
	}
}

// refuses wants a packet to be told T00 and a request 503, at once, while balances can be read. What was under way before may wait.
func (b *bed) refuses(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, refuseSoon)
	defer cancel()
	p, err := b.craft(&b.tokens[0], 1, craftLife, b.bytes)
	if err == nil {
		err = b.pay(ctx, b.child, p)
	}
	if err != nil {
		return fmt.Errorf("a packet gets no answer on a full disk: %w", err)
	}
	if p.fate != rejected || p.code != ilpcore.T00.String() {
		return fmt.Errorf("a packet is not rejected with T00 on a full disk, but has fate %d, code %q", p.fate, p.code)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.settings.site.String()+"/", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Pay-Token", b.tokens[0].text)
	answer, err := b.client.Do(request)
	if err != nil {
		return fmt.Errorf("a request gets no answer on a full disk: %w", err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable {
		return fmt.Errorf("a request is answered with %d on a full disk, not 503", answer.StatusCode)
	}
	if _, _, err := b.quote(ctx, &b.tokens[0]); err != nil {
		return fmt.Errorf("balances cannot be read on a full disk: %w", err)
	}
	return nil
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
	ballast, err := d.fill(0, 0)
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

// fillAtOnce fills the disk under load as fast as it can be written. The gateway may die of it.
func (b *bed) fillAtOnce(ctx context.Context, d *disk, s *series) error {
	b.mayDie = true
	b.record.doubt(true)
	l := b.startLoad(ctx, false, 0)
	time.Sleep(time.Duration(100+b.random.IntN(300)) * time.Millisecond)
	ballast, err := d.fill(0, 0)
	time.Sleep(closeFor)
	if !b.gateway.alive() {
		s.result.Counts["died, and lost nothing"]++
	}
	b.gateway.kill()
	l.end()
	return errors.Join(err, os.Remove(ballast))
}

// fill makes a file grow until so many bytes are left, at a rate of so many bytes a second; 0 is as fast as it can.
func (d *disk) fill(leave, rate int64) (path string, err error) {
	path = filepath.Join(d.mount, "ballast")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return path, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	block := make([]byte, 256<<10)
	for begin, written := time.Now(), int64(0); ; {
		free, err := d.free()
		if err != nil || free <= leave {
			return path, err
		}
		n, err := f.Write(block[:min(int64(len(block)), free-leave)])
		if written += int64(n); errors.Is(err, unix.ENOSPC) {
			return path, nil
		} else if err != nil {
			return path, err
		}
		if rate > 0 {
			time.Sleep(time.Until(begin.Add(time.Duration(written * int64(time.Second) / rate))))
		}
	}
}
