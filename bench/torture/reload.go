//go:build linux

package main

// This file is the kind reload: new configurations under load, and some that are refused.

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const reloads = 10 // in a cycle

// reload loads configurations through the admin endpoint while the load goes on. A few connections are lost, as in any Caddy that hands its ports over;
// no packet may be rejected and no request refused for it.
func reload(ctx context.Context, t *torture, s *series) (err error) {
	b, end, err := s.bed(ctx, plan{binary: t.binary, home: s.home, durability: durGroup})
	if err != nil {
		return err
	}
	defer end(&err)
	for range s.cycles {
		l := b.startLoad(ctx, true, 0)
		refused, err := b.reloads(ctx)
		l.end()
		c := b.record.count()
		if err == nil && c.rejected > 0 {
			err = fmt.Errorf("%d packets were rejected", c.rejected)
		}
		if n := b.record.statuses[http.StatusServiceUnavailable]; err == nil && n > 0 {
			err = fmt.Errorf("%d requests were answered with 503", n)
		}
		if err != nil {
			return err
		}
		b.gateway.kill() // nothing is under way
		if err := t.recover(ctx, b, anyFlight); err != nil {
			return err
		}
		s.result.Counts["reloads"] += reloads
		s.result.Counts["refused reloads"] += uint64(refused)
		s.done("%d reloads, of which %d were refused; %d packets and %d requests lost their connection", reloads, refused, c.underWay, c.unknown)
	}
	return t.finish(ctx, b)
}

// reloads loads configurations one after the other; every fourth is a mistake. The last one is good.
func (b *bed) reloads(ctx context.Context) (refused int, err error) {
	for n := range reloads {
		select {
		case <-ctx.Done():
			return refused, ctx.Err()
		case <-time.After(time.Duration(20+b.random.IntN(120)) * time.Millisecond):
		}
		next := b.settings
		next.note = fmt.Sprintf("configuration %d", n)
		text, want := next.caddyfile(), http.StatusOK
		if n%4 == 2 {
			text, want = strings.Replace(text, "durability group", "durability process", 1), http.StatusBadRequest
			refused++
		}
		status, err := b.load(ctx, text)
		if err != nil {
			return refused, err
		}
		if status != want {
			return refused, fmt.Errorf("reload %d was answered with status %d, not %d", n, status, want)
		}
	}
	return refused, nil
}

func (b *bed) load(ctx context.Context, caddyfile string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.settings.admin.String()+"/load", strings.NewReader(caddyfile))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "text/caddyfile")
	answer, err := b.client.Do(request)
	if err != nil {
		return 0, err
	}
	_ = answer.Body.Close()
	return answer.StatusCode, nil
}
