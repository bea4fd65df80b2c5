package interop

// This file has peers answer badly over BTP and HTTP, and wants the right code at the sender, every balance exact, and another account that does not
// notice.

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/btp"
)

var misdeeds = []misdeed{
	{"answers twice, and takes it back", ilpcore.Code{},
		func(p *btpPeer, id uint32, fulfill []byte) {
			p.answer(id, fulfill)
			p.answer(id, fulfill)
			p.answer(id, mustPacket(ilpcore.Reject(ilpcore.F99, "test.bad", "never mind", nil)))
		},
		func(w http.ResponseWriter, fulfill []byte) {
			hijacked(func(b *bufio.Writer) {
				for range 2 {
					fmt.Fprintf(b, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s", len(fulfill), fulfill)
				}
			})(w, nil)
		}, false},
	{"gives the fulfillment of something else", ilpcore.F05,
		func(p *btpPeer, id uint32, _ []byte) { p.answer(id, mustPacket(ilpcore.Fulfill([32]byte{9}, nil))) },
		func(w http.ResponseWriter, _ []byte) { w.Write(mustPacket(ilpcore.Fulfill([32]byte{9}, nil))) }, false},
	{"replays its last answer, and then none", ilpcore.R00,
		func(p *btpPeer, id uint32, fulfill []byte) { p.answer(p.last, fulfill) },
		func(http.ResponseWriter, []byte) { time.Sleep(4 * time.Second) }, false},
	{"answers nonsense", ilpcore.T01,
		func(p *btpPeer, id uint32, _ []byte) { p.answer(id, []byte("yes")) },
		func(w http.ResponseWriter, _ []byte) { w.Write([]byte("yes")) }, false},
	{"answers too much", ilpcore.T01,
		func(p *btpPeer, _ uint32, _ []byte) { p.write(make([]byte, btp.MaxFrame+1)) },
		func(w http.ResponseWriter, fulfill []byte) { w.Write(append(fulfill, make([]byte, 1<<20)...)) }, true},
	{"dies", ilpcore.T01,
		func(p *btpPeer, _ uint32, _ []byte) { p.conn.CloseNow() },
		hijacked(func(*bufio.Writer) {}), true},
	{"dies in the middle of its answer", ilpcore.T01,
		func(p *btpPeer, id uint32, fulfill []byte) {
			p.write(btp.AppendILP(nil, btp.TypeResponse, id, fulfill)[:20])
			p.conn.CloseNow()
		},
		func(w http.ResponseWriter, fulfill []byte) {
			hijacked(func(b *bufio.Writer) {
				fmt.Fprintf(b, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(fulfill), fulfill[:9])
			})(w, nil)
		}, true},
}

// limits are those of the misbehaving accounts.
const limits = "packets_per_minute 300\n\t\t\tmax_in_flight 20\n"

// badNode is a node with two such peers, one account that sends them packets, and one that has nothing to do with them.
type badNode struct {
	*gateway
	payer, calm *link
	token       string // of bad
	bad         *btpPeer
	worse       *httpPeer
	incoming    string // of worse
}

func newBadNode(t *testing.T) *badNode {
	n := &badNode{payer: newLink(t, "payer"), calm: newLink(t, "calm"), token: newSecret(), worse: newHTTPPeer(t), incoming: newSecret()}
	posts := fmt.Sprintf("http %s/ {\n\t\t\t\tincoming simple %s\n\t\t\t\toutgoing simple %s\n\t\t\t}", n.worse.URL, n.incoming, newSecret())
	n.gateway = newGateway(t, gatewayConfig{
		address: "test.gateway", sites: []string{site}, options: []string{"\t\troute test.bad bad", "\t\troute test.worse worse"},
		accounts: []string{
			n.payer.account(), n.calm.account(),
			nodeAccount("bad", "peer", "USD 9", "btp listen "+n.token+"\n\t\t\t"+limits), nodeAccount("worse", "peer", "USD 9", posts+"\n\t\t\t"+limits),
		},
	})
	return n
}

// beside pings with the account calm until the returned function is called, which wants that all of them were answered, soon.
func (n *badNode) beside(t *testing.T) (done func()) {
	var running sync.WaitGroup
	stop, pings, slowest := make(chan struct{}), 0, time.Duration(0)
	running.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			begun := time.Now()
			reply, err := n.calm.send(n.gateway, encoded(t, ping("test.gateway", 1)))
			if err != nil || !reply.Fulfilled {
				t.Errorf("the account beside: %v, %s %q", err, reply.Code, reply.Message)
				return
			}
			pings, slowest = pings+1, max(slowest, time.Since(begun))
		}
	})
	return func() {
		close(stop)
		running.Wait()
		t.Logf("the account beside had %d pings answered, the slowest in %v", pings, slowest)
		if pings < 20 || slowest > 2*time.Second {
			t.Errorf("that is not undisturbed")
		}
		n.wantOwed(map[string]int{"calm": -pings})
	}
}

// pay sends a packet of 10 to destination, which expires at its next node a second before left is over. with gets the Fulfill that it can have.
func (n *badNode) pay(t *testing.T, destination string, left time.Duration, with func(fulfill []byte)) ilpcore.Reply {
	var fulfillment [32]byte
	copy(fulfillment[:], newSecret())
	with(mustPacket(ilpcore.Fulfill(fulfillment, nil)))
	reply, err := n.payer.send(n.gateway, encoded(t, ilpcore.Prepare{
		Amount: 10, ExpiresAt: time.Now().Add(left).UTC().Truncate(time.Millisecond), Condition: sha256.Sum256(fulfillment[:]),
		Destination: []byte(destination),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestPeersThatAnswerBadly(t *testing.T) {
	needTime(t)
	n := newBadNode(t)
	done := n.beside(t)
	for _, over := range []struct{ link, account string }{{"BTP", "bad"}, {"HTTP", "worse"}} {
		paid := 0
		for _, deed := range misdeeds {
			var serving sync.WaitGroup
			left := 3 * time.Second
			if deed.ends {
				left = 10 * time.Second // a connection that has ended is given two, for answers over the next one
			}
			reply := n.pay(t, "test."+over.account+".someone", left, func(fulfill []byte) {
				if over.link == "HTTP" {
					answer := func(w http.ResponseWriter) { deed.http(w, fulfill) }
					n.worse.deed.Store(&answer)
					return
				}
				if n.bad == nil {
					n.bad = newBTPPeer(t, n.gateway, n.token)
				}
				serving.Go(func() { n.bad.serve(deed, fulfill) })
			})
			if serving.Wait(); deed.ends {
				n.bad = nil
			}
			if reply.Code != deed.code || reply.Fulfilled != (deed.code == ilpcore.Code{}) {
				t.Errorf("%s, a peer that %s: %s %q by %s, want %s", over.link, deed.name, reply.Code, reply.Message, reply.TriggeredBy, deed.code)
			}
			if reply.Fulfilled {
				paid += 10
			}
			n.wantOwed(map[string]int{over.account: paid})
		}
	}
	n.wantOwed(map[string]int{"payer": -20})
	done()
}
