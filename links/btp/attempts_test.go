package btp

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestAttempts(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	var a attempts
	for i := range attemptBurst {
		if _, ok := a.start("192.0.2.1:1", now); !ok {
			t.Fatalf("attempt %d refused", i)
		}
	}
	if _, ok := a.start("192.0.2.1:2", now); ok {
		t.Error("one too many")
	}
	undo, ok := a.start("192.0.2.2", now)
	if !ok {
		t.Error("another address")
	}
	undo()
	now = now.Add(attemptInterval)
	undo, ok = a.start("192.0.2.1", now)
	if !ok {
		t.Error("one more after the interval")
	}
	undo()
	if _, ok = a.start("192.0.2.1", now); !ok {
		t.Error("one more after a success")
	}
	if _, ok = a.start("192.0.2.1", now); ok {
		t.Error("the success counted twice")
	}
}

// However many addresses come, memory is bounded, and those that are known keep their own bucket.
func TestAttemptsOfManyAddresses(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	var a attempts
	refused := 0
	for i := range attemptEntries + 2*attemptBurst {
		if _, ok := a.start(fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff), now); !ok {
			refused++
		}
	}
	if len(a.full) != attemptEntries+1 || refused != attemptBurst {
		t.Errorf("%d buckets, %d refused", len(a.full), refused)
	}
	if _, ok := a.start("2001:db8:0:1::2", now); !ok {
		t.Error("a known network was refused")
	}
	now = now.Add(time.Hour)
	if _, ok := a.start("192.0.2.1", now); !ok || len(a.full) != 1 {
		t.Errorf("after an hour: %v, %d buckets", ok, len(a.full))
	}
}

func TestNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "192.0.2.1:80": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
		"": "invalid Prefix", "@": "invalid Prefix", "host:80": "invalid Prefix",
	} {
		if got := network(text); got.String() != want {
			t.Errorf("%q is %v, want %s", text, got, want)
		}
	}
	if network("x") != (netip.Prefix{}) {
		t.Error("what is no address has a bucket of its own")
	}
}
