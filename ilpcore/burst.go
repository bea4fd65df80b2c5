package ilpcore

// This file is how packets that come together share what is done for each of them but need be done only once, such as waking whoever writes.

// Burst is packets, or answers, that somebody hands on one after the other. It is his alone. The zero value is ready, and nil is a packet by itself.
type Burst struct{ later []Flusher }

// Flusher has something to finish after a burst.
type Flusher interface{ Flush() }

// Later has f called at the end of the burst, once. Without a burst that is now.
func (b *Burst) Later(f Flusher) {
	if b == nil {
		f.Flush()
		return
	}
	for _, known := range b.later {
		if known == f {
			return
		}
	}
	b.later = append(b.later, f)
}

// End ends the burst; another may begin. Whoever hands things on ends it before he waits for anything: what is left to its end is not his alone.
func (b *Burst) End() {
	for i, f := range b.later {
		b.later[i] = nil
		f.Flush()
	}
	b.later = b.later[:0]
}
