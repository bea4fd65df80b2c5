package btp

// This file says how long to wait before dialling again.

import (
	"encoding/binary"
	"io"
	"time"
)

// backoff counts failures in a row. Its waits are those of JavaScript peers, with jitter so that many nodes do not return in step.
type backoff struct {
	waits  []time.Duration // the last one repeats
	stable time.Duration   // a connection that lasted this long starts over
	random io.Reader
	tried  int
}

// next returns the wait before the next attempt: the listed one, plus at most a quarter.
func (b *backoff) next() time.Duration {
	wait := b.waits[min(b.tried, len(b.waits)-1)]
	b.tried++
	var r [8]byte
	if _, err := io.ReadFull(b.random, r[:]); err != nil {
		return wait // jitter is a courtesy, not worth failing for
	}
	return wait + time.Duration(binary.BigEndian.Uint64(r[:])%uint64(wait/4+1))
}

// lasted takes in how long a connection lived.
func (b *backoff) lasted(d time.Duration) {
	if d >= b.stable {
		b.tried = 0
	}
}
