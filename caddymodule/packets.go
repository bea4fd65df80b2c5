package caddymodule

// This file counts the packets of the node, of every config of the process, for Prometheus. Neighbours are told apart by name; the holders of
// accounts are not: they are people, and may be many.

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

var (
	ofPacket = []string{"direction", "link", "relation", "asset", "scale", "outcome", "code"}

	packetsDesc = describe("packets_total", "Packets that came from an account or went to one, by what became of them.", ofPacket...)
	unitsDesc   = describe("packet_units_total", "Sum of the amounts of those packets, in base units.", ofPacket...)

	// packetSeconds is from the Prepare to its answer. Incoming is all of that; outgoing is what of it was waiting for the next node.
	packetSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "paydoor_packet_seconds", Help: "How long packets took from the Prepare to its answer.", Buckets: prometheus.ExponentialBuckets(100e-6, 2, 19),
	}, []string{"direction"})
	incomingSeconds = packetSeconds.WithLabelValues("incoming")
	outgoingSeconds = packetSeconds.WithLabelValues("outgoing")
)

// packetKind is the packets that are counted together. What neighbours say does not make kinds: codes that are not registered are one.
type packetKind struct {
	outgoing bool
	link     ilpcore.AccountID // "": any account of a holder
	relation connector.Relation
	asset    ilpcore.Asset
	rejected bool
	code     ilpcore.Code // zero: fulfilled, or a code that is not registered
}

// packets are of the whole process.
var packets = struct {
	mu    sync.RWMutex
	kinds map[packetKind]*flow
}{kinds: map[packetKind]*flow{}}

// countPacket counts one side of a packet (connector.Config.Passed).
func countPacket(p connector.Passage) {
	kind := packetKind{outgoing: p.Outgoing, relation: p.Relation, asset: p.Asset, rejected: p.Reject != ilpcore.Code{}}
	if p.Relation != connector.NonRouting && p.Relation != connector.Local {
		kind.link = p.Account
	}
	if kind.rejected && p.Reject.Name() != "" {
		kind.code = p.Reject
	}
	flowOf(kind).add(p.Amount)
	if p.Outgoing {
		outgoingSeconds.Observe(p.Took.Seconds())
		return
	}
	incomingSeconds.Observe(p.Took.Seconds())
}

// usualFlows are flows by a few bits of their kinds, the first of each: most packets are of few kinds, and a map takes longer than all other counting.
var usualFlows [64]atomic.Pointer[usualFlow]

type usualFlow struct {
	kind packetKind
	flow *flow
}

func flowOf(kind packetKind) *flow {
	place := uint(len(kind.link))
	if place > 0 {
		place += 5 * uint(kind.link[place-1])
	}
	if kind.outgoing {
		place += 32
	}
	usual := &usualFlows[(place+7*uint(kind.code[1]))%uint(len(usualFlows))]
	if u := usual.Load(); u != nil && u.kind == kind {
		return u.flow
	}
	packets.mu.RLock()
	f := packets.kinds[kind]
	packets.mu.RUnlock()
	if f == nil {
		f = newPacketKind(kind)
	}
	if usual.Load() == nil {
		usual.Store(&usualFlow{kind, f})
	}
	return f
}

func newPacketKind(kind packetKind) *flow {
	packets.mu.Lock()
	defer packets.mu.Unlock()
	f := packets.kinds[kind]
	if f == nil {
		f = new(flow)
		packets.kinds[kind] = f
	}
	return f
}

func collectPackets(to chan<- prometheus.Metric) {
	packets.mu.RLock()
	defer packets.mu.RUnlock()
	for kind, f := range packets.kinds {
		n, sum := f.read()
		labels := kind.labels()
		to <- counter(packetsDesc, float64(n), labels...)
		to <- counter(unitsDesc, shown(sum), labels...)
	}
	packetSeconds.Collect(to)
}

// labels are in the order of ofPacket.
func (k packetKind) labels() []string {
	direction, outcome, code := "incoming", "fulfilled", ""
	if k.outgoing {
		direction = "outgoing"
	}
	if k.rejected {
		outcome, code = "rejected", "other"
		if k.code != (ilpcore.Code{}) {
			code = k.code.String()
		}
	}
	return []string{direction, string(k.link), k.relation.String(), k.asset.Code, strconv.Itoa(int(k.asset.Scale)), outcome, code}
}
