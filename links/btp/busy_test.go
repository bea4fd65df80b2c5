package btp

import (
	"sync"
	"testing"
)

// Nothing may pass for idle while a packet that was let in is under way, however entering, leaving and closing interleave.
func TestBusyIsNotIdleWhileSomethingIsUnderWay(t *testing.T) {
	for range 20000 {
		b := newBusy()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for range 3 {
					if b.enter() {
						b.leave()
					}
				}
			})
		}
		held := b.enter()
		idle := b.close()
		all.Wait()
		if held {
			select {
			case <-idle:
				t.Fatal("idle while a packet is under way")
			default:
			}
			b.leave()
		}
		<-idle
	}
}
