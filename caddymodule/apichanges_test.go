package caddymodule

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
	"github.com/paydoor/paydoor/payer"
)

// TestGuardedLinksLeavePrivateNetworksAlone dials a name that turns out to be this machine.
func TestGuardedLinksLeavePrivateNetworksAlone(t *testing.T) {
	s := newServer(t)
	var reached atomic.Bool
	s.handler = func(http.ResponseWriter, *http.Request) { reached.Store(true) }
	host := s.backend.Listener.Addr().String()
	for _, link := range []linkSettings{
		{Kind: linkHTTP, URL: "http://" + host + "/ilp", Outgoing: strong, Account: "a", Guarded: true},
		{Kind: linkBTP, URL: "ws://" + host + "/btp", Outgoing: strong, Account: "a", Guarded: true},
	} {
		open, err := acquireLink(link, ilpcore.Asset{})
		if err != nil {
			t.Fatal(err)
		}
		open.HandlePrepare(t.Context(), ping("test.a", 1))
		eventually(t, "the link says why it is down", func() bool {
			err := open.OpenLink.(interface{ Err() error }).Err()
			return err != nil && strings.Contains(err.Error(), payer.ErrPrivateAddress.Error())
		})
		if err := releaseLink(link); err != nil {
			t.Error(err)
		}
	}
	if reached.Load() {
		t.Error("this machine was reached")
	}
}

// TestOneAPI wants that two ilp_nodes do not contradict each other, and off to leave the paths to others.
func TestOneAPI(t *testing.T) {
	s := newServer(t)
	two := strings.Replace(s.caddyfile(), "\tilp_node\n", "\tilp_node {\n api java\n }\n ilp_node /x {\n api rust-1.0\n }\n", 1)
	if err := s.tryLoad(two); err == nil || !strings.Contains(err.Error(), "a node has one API") {
		t.Errorf("two dialects give %v", err)
	}
	off := strings.Replace(s.caddyfile(), "\tilp_node\n", "\tilp_node {\n api off\n }\n respond /status theirs\n", 1)
	if err := s.tryLoad(off); err != nil {
		t.Fatal(err)
	}
	if got := s.asks("/status", ""); got.body != "theirs" {
		t.Errorf("/status answers %s %q", got.Status, got.body)
	}
	if got := s.asks("/", ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("/ answers %s", got.Status)
	}
}

// TestChangedAccountKeepsWhatStays changes one credential of an account, and wants the other connection to stay.
func TestChangedAccountKeepsWhatStays(t *testing.T) {
	s := newServer(t)
	s.load()
	a := s.kid("kid", strong)
	s.make(a)
	kid := s.neighbour("/ilp/btp", "kid", strong, nil)
	eventually(t, "the neighbour connects", kid.Up)
	credentials := func(token string) bool {
		id, ok := s.running().credentials.Authenticate("", token)
		return ok && id == "kid"
	}
	a.HTTP.Incoming = []nodeapi.Credential{{Kind: nodeapi.Simple, Secret: s.seal("y" + strong)}}
	s.make(a)
	if !credentials("y"+strong) || credentials(strong) || kid.downs.Load() != 0 {
		t.Errorf("new token %v, old token %v, %d disconnects", credentials("y"+strong), credentials(strong), kid.downs.Load())
	}
	wrong := a
	wrong.BTP.Incoming, wrong.Relation = s.seal("z"+strong), "friend"
	if err := s.running().opener.Open(wrong); err == nil {
		t.Error("a mistake was accepted")
	}
	a.BTP.Incoming = s.seal("z" + strong)
	s.make(a)
	eventually(t, "the old connection ends", func() bool { return kid.downs.Load() > 0 })
	again := s.neighbour("/ilp/btp", "kid", "z"+strong, nil)
	eventually(t, "the new token is taken", again.Up)
	if links := openLinks(); len(links) != 1 || len(links["kid"].incoming.handlers) != 1 {
		t.Errorf("links %v", links)
	}
}

// TestNewSecretOverReloads replaces the node's secret in three steps, one of which fails to start.
func TestNewSecretOverReloads(t *testing.T) {
	s := newServer(t)
	s.load()
	s.make(s.kid("kid", strong))
	old, err := readSecretFile(s.dataDir() + "/" + receiverSecretFile)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	plain := s.options
	s.options += "\nsecret " + strings.Repeat("n", 32) + " " + old
	if err := s.tryLoad(s.caddyfile() + "\nhttp://" + taken.Addr().String() + " {\n\tbind 127.0.0.1\n\trespond no\n}\n"); err == nil {
		t.Fatal("a config with a taken port was accepted")
	}
	opens := func(secret string) error {
		a, err := s.running().books.directory.Account("kid")
		if err != nil {
			t.Fatal(err)
		}
		_, err = nodeapi.NewKeeper([][]byte{[]byte(secret)}, nil).Open(a.BTP.Incoming)
		return err
	}
	if err := opens(old); err != nil {
		t.Errorf("after the config that failed, the running one's secret opens: %v", err)
	}
	s.load()
	if err := opens(strings.Repeat("n", 32)); err != nil {
		t.Errorf("the new secret opens: %v", err)
	}
	s.options = plain + "\nsecret " + strings.Repeat("n", 32)
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	s.load()
	kid := s.neighbour("/ilp/btp", "kid", strong, nil)
	eventually(t, "the neighbour connects without the old secret", kid.Up)
}

// TestParentByTheAPI has a parent that dials, and wants to be asked for the address.
func TestParentByTheAPI(t *testing.T) {
	s := newServer(t)
	s.options = strings.Replace(s.options, "sandbox", "address test.paydoor", 1)
	s.load()
	up := s.kid("up", strong)
	up.Relation = "parent"
	s.make(up)
	var asked atomic.Int64
	parent := s.neighbour("/accounts/up/ilp/btp", "", strong, ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
		if string(in.Destination) == "peer.config" {
			asked.Add(1)
		}
		return ilpcore.Reject(ilpcore.F00, "", "not now", nil)
	}))
	eventually(t, "the parent is asked", func() bool { return asked.Load() > 0 })
	reply := parent.HandlePrepare(t.Context(), ping("test.paydoor", 5))
	if !reply.Fulfilled {
		t.Errorf("a ping of the parent: %s %s", reply.Code, reply.Message)
	}
	again := s.kid("up2", "x"+strong)
	again.Relation = "parent"
	if err := s.running().opener.Open(again); !errors.Is(err, connector.ErrParents) {
		t.Errorf("a second parent: %v", err)
	}
	if n := len(openLinks()); n != 1 {
		t.Errorf("%d links are open", n)
	}
}
