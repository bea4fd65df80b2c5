package payer

// This file decides how many packets are in flight and when the next may leave: more after each success, half after a sign that
// the way is full, with a pause that doubles.

import (
	"encoding/binary"
	"io"
	"math/bits"
	"time"
)

// What a payment begins with and how far it goes.
const (
	firstWindow  = 4
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// pace is the window of one payment.
type pace struct {
	window    int    // packets that may be in flight
	most      int    // which it never exceeds
	threshold int    // below it the window grows by one a success, from it on by one a window
	successes int    // since the window last grew
	cut       uint64 // sequence number at the last cut: what was sent before it is no new sign
	failures  int    // in a row
	until     time.Time
}

func newPace(most int) pace {
	return pace{window: min(firstWindow, most), most: most, threshold: most}
}

// fulfilled lets the window grow.
func (p *pace) fulfilled() {
	p.failures = 0
	p.successes++
	if p.window < p.threshold || p.successes >= p.window {
		p.window, p.successes = min(p.window+1, p.most), 0
	}
}

// congested halves the window and sets a pause from half of it to the whole, so that senders that were turned away together do not
// come back together. sent is the sequence number of the packet that met the congestion, last that of the latest. It reports
// whether this is a new sign, not one more packet of a burst that was answered for already.
func (p *pace) congested(sent, last uint64, now time.Time, random io.Reader) bool {
	if sent <= p.cut {
		return false
	}
	p.window = max(1, p.window/2)
	p.threshold, p.successes, p.cut = p.window, 0, last
	pause := min(firstPause<<min(p.failures, 6), longestPause)
	p.failures++
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err == nil {
		jitter, _ := bits.Mul64(uint64(pause/2), binary.BigEndian.Uint64(b[:]))
		pause -= time.Duration(jitter)
	}
	p.until = now.Add(pause)
	return true
}
