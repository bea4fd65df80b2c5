//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// A sender process pays the receiver in memory over each link, and all three agree on what arrived.
func TestOwnSenderPays(t *testing.T) {
	m, err := startMemoryTill(strings.Repeat("secret", 6), []string{"own"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.close(); err != nil {
			t.Error(err)
		}
	}()
	command, err := ownPayer()
	if err != nil {
		t.Fatal(err)
	}
	c, s := &counter{}, new(senders)
	for _, overBTP := range []bool{true, false} {
		p, err := startPayer(t.Context(), t.TempDir(), ownSender, m.uplink("own", overBTP), command...)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			done, err := c.load(t.Context(), s, p, m, 50)
			if err != nil || done.requests != 50 || done.rate() <= 0 {
				t.Errorf("over BTP %v: %+v, %v", overBTP, done, err)
			}
		}
		if used, err := p.cpu(); err != nil || used <= 0 {
			t.Errorf("it has used %v of the processor, %v", used, err)
		}
		if _, err := p.pay(t.Context(), order{Destination: "no address"}); err == nil {
			t.Error("an order without meaning is said to be done")
		}
		if err := p.close(); err != nil {
			t.Error(err)
		}
	}
	if s.packets != 200 || s.units != 200*largestPacket {
		t.Errorf("%d packets and %d units are counted", s.packets, s.units)
	}
}

// What does not add up ends the run.
func TestSenderIsChecked(t *testing.T) {
	m, err := startMemoryTill(strings.Repeat("secret", 6), []string{"own"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	// Its answers are those of a sender that says more than it did.
	liar := []string{"sh", "-c", `echo '{"ready":true}' >&3; while read -r line; do echo '{"packets":1,"sent":"10000","delivered":"10000","milliseconds":1}' >&3; done`}
	p, err := startPayer(t.Context(), t.TempDir(), "liar", m.uplink("own", true), liar...)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if _, err := new(counter).load(t.Context(), new(senders), p, m, 1); err == nil || !strings.Contains(err.Error(), "0 were credited") {
		t.Errorf("got %v", err)
	}
	mute := []string{"sh", "-c", "exit 1"}
	if _, err := startPayer(t.Context(), t.TempDir(), "mute", m.uplink("own", true), mute...); err == nil {
		t.Error("a sender that ends at once is said to be ready")
	}
}

func TestMemoryTillLimits(t *testing.T) {
	m, err := startMemoryTill(strings.Repeat("secret", 6), []string{"own"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	reply := m.handle(t.Context(), ilpcore.Incoming{Prepare: ilpcore.Prepare{Amount: largestPacket + 1, Destination: []byte("test.memory.x")}})
	if claim, err := ilpcore.DecodeAmountTooLarge(reply.Data); reply.Code != ilpcore.F08 || err != nil || claim.Maximum != largestPacket {
		t.Errorf("%+v, %+v, %v", reply, claim, err)
	}
	request := ilpcore.ILDCPRequest(time.Now().Add(time.Minute))
	told, err := ilpcore.DecodeILDCP(m.handle(t.Context(), ilpcore.Incoming{From: "own", Prepare: request}).Data)
	if err != nil || told.Address != "test.memory.own" || told.Asset != asset {
		t.Errorf("%+v, %v", told, err)
	}
}

func TestSendersReport(t *testing.T) {
	sides := func(rates ...float64) (all []*side) {
		for i, name := range append(npmSenders[:2:2], ownSender) {
			all = append(all, &side{gateway: &gateway{name: name}, requests: requests{rates: []float64{rates[i]}, cpu: []float64{10}}})
		}
		return all
	}
	var b strings.Builder
	s := senders{peer: "others", units: 7, packets: 3, lines: []line{{setting: "fast", sides: sides(100, 300, 6000)}, {setting: "slow", sides: sides(300, 100, 5999)}}}
	s.write(&b)
	for _, want := range []string{
		"all 7 units that left, in 3 packets",
		"| fast | Paydoor | 6000 (6000..6000) | **20.0** (20.0..20.0) | met | 10.0 (10.0..10.0) |",
		"| slow | Paydoor | 5999 (5999..5999) | **20.0** (20.0..20.0) | not met | 10.0 (10.0..10.0) |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	b.Reset()
	(&senders{missing: errNoRelay}).write(&b)
	if !strings.Contains(b.String(), "Not measured") {
		t.Error(b.String())
	}
}
