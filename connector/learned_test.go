package connector

import (
	"errors"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

func answer(address ilpcore.Address, asset ilpcore.Asset) ilpcore.ILDCP {
	return ilpcore.ILDCP{Address: address, Asset: asset}
}

func TestFormerAddressesAreHonouredForADay(t *testing.T) {
	l := new(learned).next(answer("test.a.us", usd9), usd9, noon)
	l = l.next(answer("test.b.us", usd9), usd9, noon.Add(time.Hour))
	l = l.next(answer("test.b.us", usd9), usd9, noon.Add(2*time.Hour)) // the same again moves no deadline
	l = l.next(answer("test.c.us", usd9), usd9, noon.Add(3*time.Hour))
	for _, test := range []struct {
		destination string
		at          time.Duration
		want        string
		ok          bool
	}{
		{"test.c.us.x", 4 * time.Hour, "x", true},
		{"test.b.us.x.y", 4 * time.Hour, "x.y", true},
		{"test.a.us", 4 * time.Hour, "", true},
		{"test.a.usx", 4 * time.Hour, "", false},
		{"test.a.us.x", 25*time.Hour - time.Millisecond, "x", true},
		{"test.a.us.x", 25 * time.Hour, "", false},
		{"test.b.us.x", 27*time.Hour - time.Millisecond, "x", true},
		{"test.b.us.x", 27 * time.Hour, "", false},
		{"test.c.us.x", 1000 * time.Hour, "x", true},
	} {
		rest, ok := l.suffix([]byte(test.destination), noon.Add(test.at))
		if string(rest) != test.want || ok != test.ok {
			t.Errorf("%s after %v: %q %v, want %q %v", test.destination, test.at, rest, ok, test.want, test.ok)
		}
	}
	if l = l.next(answer("test.b.us", usd9), usd9, noon.Add(4*time.Hour)); len(l.former) != 2 || l.address != "test.b.us" {
		t.Errorf("an address that came back: %+v", l)
	}
	if l = l.next(answer("test.b.us", usd9), usd9, noon.Add(100*time.Hour)); len(l.former) != 0 {
		t.Errorf("kept for ever: %+v", l)
	}
}

func TestTheAssetIsNeverReinterpreted(t *testing.T) {
	l := new(learned).next(answer("test.us", eur2), usd9, noon)
	if !errors.Is(l.mismatch, ErrAsset) || l.address != "" {
		t.Errorf("not the configured one: %+v", l)
	}
	l = l.next(answer("test.us", usd9), usd9, noon)
	if l.mismatch != nil || l.address != "test.us" || l.asset != usd9 {
		t.Errorf("mended: %+v", l)
	}
	l = new(learned).next(answer("test.us", eur2), ilpcore.Asset{}, noon)
	if l.mismatch != nil || l.asset != eur2 {
		t.Errorf("none configured: %+v", l)
	}
	l = l.next(answer("test.us", usd9), ilpcore.Asset{}, noon)
	if !errors.Is(l.mismatch, ErrAsset) || l.asset != eur2 {
		t.Errorf("changed under way: %+v", l)
	}
}
