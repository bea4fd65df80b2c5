package caddymodule

// This file reloads while a packet is under way between two neighbours: who sent it gets its answer, whatever becomes of the accounts.

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/ilphttp"
)

// slowNeighbour answers a packet when it is told to, and takes no part in telling routes.
type slowNeighbour struct {
	arrived chan struct{}
	answer  chan struct{}
}

func (n *slowNeighbour) HandlePrepare(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if strings.HasPrefix(string(in.Destination), "peer.") {
		return ilpcore.Reject(ilpcore.F02, "", "no such service", nil)
	}
	n.arrived <- struct{}{}
	<-n.answer
	return ilpcore.Fulfill([32]byte{}, []byte("worth waiting for"))
}

func TestReloadDrainsLinks(t *testing.T) {
	kid := "\naccount kid {\n relation child\n btp listen " + strings.Repeat("kid", 12) + "\n}"
	bob := "\naccount bob {\n relation child\n btp listen " + strings.Repeat("bob", 12) + "\n}"
	for name, change := range map[string]func(options string) string{
		"the sender's token changes":   func(o string) string { return strings.Replace(o, "listen kid", "listen KID", 1) },
		"the sender is removed":        func(o string) string { return strings.Replace(o, kid, "", 1) },
		"the receiver's token changes": func(o string) string { return strings.Replace(o, "listen bob", "listen BOB", 1) },
		"the receiver is removed":      func(o string) string { return strings.Replace(o, bob, "", 1) },
		"nothing changes":              func(o string) string { return o },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.options += kid + bob
			s.load()
			slow := &slowNeighbour{make(chan struct{}, 1), make(chan struct{})}
			receiver := s.neighbour("/accounts/bob/ilp/btp", "bob", strings.Repeat("bob", 12), slow)
			sender := s.neighbour("/accounts/kid/ilp/btp", "kid", strings.Repeat("kid", 12), nil)
			eventually(t, "both connect", func() bool { return receiver.Up() && sender.Up() })
			answered := make(chan ilpcore.Reply, 1)
			go func() {
				answered <- sender.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: ilpcore.Prepare{
					Amount: 1, ExpiresAt: time.Now().Add(20 * time.Second), Destination: []byte("test.paydoor.bob.x"),
					Condition: ilpcore.ConditionOf([32]byte{}),
				}})
			}()
			<-slow.arrived
			s.options = change(s.options)
			reloaded := make(chan error, 1)
			go func() { reloaded <- s.tryLoad(s.caddyfile()) }()
			time.Sleep(300 * time.Millisecond) // the old config is being put away
			close(slow.answer)
			if reply := <-answered; !reply.Fulfilled || string(reply.Data) != "worth waiting for" {
				t.Errorf("the packet was answered with %s %q", reply.Code, reply.Message)
			}
			if err := <-reloaded; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRemovedAccountIsRefused has a neighbour over HTTP whose account a reload removes, and brings back.
func TestRemovedAccountIsRefused(t *testing.T) {
	s := newServer(t)
	without := s.options
	s.options += "\naccount kid {\n relation child\n http {\n incoming simple " + strong + "\n }\n}"
	with := s.options
	s.load()
	client, err := ilphttp.NewClient(ilphttp.ClientConfig{Endpoint: "http://" + s.node + "/accounts/kid/ilp", Token: strong})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	s.buys(client, "10")
	s.options = without
	s.load()
	gone := func() bool {
		return !client.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: ilpcore.ILDCPRequest(time.Now().Add(time.Minute))}).Fulfilled
	}
	eventually(t, "the removed account is refused", gone)
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "10")
	s.options = with
	s.load()
	eventually(t, "the account is back", func() bool { return !gone() })
	s.buys(client, "20")
}
