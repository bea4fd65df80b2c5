package interop

// This file has peers send too much, or log in never, and wants the node to keep to their limits and the others' peace.

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/btp"
)

// TestPeersThatFlood: what a peer sends beyond its limits is T05 or T03 and moves nothing. Who does not log in is shown the door after five seconds.
func TestPeersThatFlood(t *testing.T) {
	needTime(t)
	n := newBadNode(t)
	done, begun := n.beside(t), time.Now()
	strangers := make([]*websocket.Conn, 10)
	for i := range strangers {
		strangers[i] = dialBTP(t, n.gateway, "bad")
	}
	for account, flood := range map[string]func(*testing.T, int) map[ilpcore.Code]int{"bad": n.floodBTP, "worse": n.floodHTTP} {
		began := time.Now()
		got := flood(t, 2000)
		refilled := int(time.Since(began).Seconds()*5) + 1 // 300 a minute
		fulfilled, late, busy := got[ilpcore.Code{}], got[ilpcore.T05], got[ilpcore.T03]
		if fulfilled+late+busy != 2000 || late == 0 || fulfilled < 20 || fulfilled > 300+refilled {
			t.Errorf("%s: of 2000 pings %d were fulfilled, %d T05, %d T03; want at most %d fulfilled", account, fulfilled, late, busy, 300+refilled)
		}
		n.wantOwed(map[string]int{account: -fulfilled})
	}
	if status, _ := n.refusal("worse", newSecret(), ping("test.gateway", 1)); status != http.StatusUnauthorized {
		t.Errorf("a wrong token over HTTP: status %d", status)
	}
	huge := ping("test.gateway", 1)
	if status := n.postRaw(t, append(encoded(t, huge), make([]byte, 1<<20)...)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a giant body over HTTP: status %d", status)
	}
	for i, stranger := range strangers {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if _, _, err := stranger.Read(ctx); err == nil || ctx.Err() != nil {
			t.Errorf("stranger %d is still connected after %v: %v", i, time.Since(begun), err)
		}
		cancel()
	}
	done()
}

// floodBTP sends pings without waiting, and counts the answers by code.
func (n *badNode) floodBTP(t *testing.T, pings int) map[ilpcore.Code]int {
	p := newBTPPeer(t, n.gateway, n.token)
	packet := encoded(t, ping("test.gateway", 1))
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range pings {
			p.write(btp.AppendILP(nil, btp.TypeMessage, uint32(1_000_000+i), packet))
		}
	})
	defer sending.Wait()
	got := make(map[ilpcore.Code]int)
	for answered := 0; answered < pings; {
		f, err := p.read()
		if err != nil {
			t.Errorf("after %d answers: %v", answered, err)
			return got
		}
		if f.Type != btp.TypeResponse || f.RequestID < 1_000_000 {
			continue // the node's own messages
		}
		packet, _ := f.ILP()
		reply, err := ilpcore.DecodeReply(packet)
		if err != nil {
			t.Errorf("an answer is %x: %v", packet, err)
		}
		answered++
		got[reply.Code]++
	}
	return got
}

// floodHTTP posts pings, 40 at a time.
func (n *badNode) floodHTTP(t *testing.T, pings int) map[ilpcore.Code]int {
	worse := newLink(t, "worse")
	worse.secret = n.incoming
	packet := encoded(t, ping("test.gateway", 1))
	var posting sync.WaitGroup
	var mutex sync.Mutex
	got := make(map[ilpcore.Code]int)
	for range 40 {
		posting.Go(func() {
			for range pings / 40 {
				reply, err := worse.sendByPath(n.gateway, packet)
				if err != nil {
					t.Error(err)
					return
				}
				mutex.Lock()
				got[reply.Code]++
				mutex.Unlock()
			}
		})
	}
	posting.Wait()
	return got
}

// postRaw posts any body to the account worse, with its token, and returns the status.
func (n *badNode) postRaw(t *testing.T, body []byte) int {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.nodeURL()+"/accounts/worse/ilp", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+n.incoming)
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
