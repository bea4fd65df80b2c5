package caddymodule

// This file has two nodes peer over ILP over HTTP, with accounts that their APIs have made, and ping each other.

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
)

func withAmount(p ilpcore.Prepare, units uint64) ilpcore.Incoming {
	p.Amount = amount.Amount(units)
	return ilpcore.Incoming{Prepare: p}
}

// twin is a node with an HTTP side, which stays where it is over restarts.
type twin struct {
	*running
	now  atomic.Pointer[running] // the same, for the HTTP side
	url  string
	dir  string
	core zapcore.Core // of the log, which goes on over restarts
	log  *observer.ObservedLogs

	dialect nodeapi.Dialect // from the next start on
}

// newTwin opens a node at test.NAME whose API may connect it to this machine, with a wallet on it.
func newTwin(t *testing.T, name string) *twin {
	t.Helper()
	n := &twin{dir: t.TempDir()}
	n.core, n.log = observer.New(zap.DebugLevel)
	n.start(t, name)
	server := httptest.NewServer(n)
	n.url = server.URL
	t.Cleanup(func() {
		server.Close()
		n.stop(t)
	})
	return n
}

func (n *twin) start(t *testing.T, name string) {
	t.Helper()
	app := &App{
		DataDir: n.dir, Address: "test." + name, AllowWeakSecrets: true, logger: zap.New(n.core), allowPrivate: true, dialect: n.dialect,
		announces: &announcer{queue: make(chan announcement, 1), ended: make(chan struct{})},
		Accounts:  []*Account{{Name: "paul", Relation: "local"}},
	}
	var err error
	if app.settings, err = app.resolveSettings(); err != nil {
		t.Fatal(err)
	}
	r, err := app.open()
	if err != nil {
		t.Fatal(err)
	}
	r.takePackets()
	n.now.Store(r)
	n.running = r
}

func (n *twin) stop(t *testing.T) {
	t.Helper()
	if err := n.app.Cleanup(); err != nil {
		t.Error(err)
	}
}

// restart gives everything back and opens it again.
func (n *twin) restart(t *testing.T) {
	t.Helper()
	name := string(n.settings.address)
	n.stop(t)
	n.start(t, strings.TrimPrefix(name, "test."))
}

// ServeHTTP is what ilp_node does.
func (n *twin) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r := n.now.Load()
	if !r.entry.serve(w, request) {
		r.serveAPI(w, request)
	}
}

// peer makes the account of another node: tokens with one subject and secret come in, with another go out.
func (n *twin) peer(t *testing.T, name, url, theirs, ours string) {
	t.Helper()
	seal := func(secret string) nodeapi.Sealed {
		sealed, err := n.books.keeper.Seal(secret)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	s := nodeapi.Settings{
		ID: ilpcore.AccountID(name), Form: nodeapi.FormJava, Relation: "peer", Asset: nodeapi.Asset{Code: "USD", Scale: 9}, Link: nodeapi.LinkHTTP,
		HTTP: nodeapi.HTTPLink{
			URL: url, Incoming: []nodeapi.Credential{{Kind: nodeapi.JWTHS256, Subject: theirs, Secret: seal("shh " + theirs)}},
			Outgoing: &nodeapi.Credential{Kind: nodeapi.JWTHS256, Subject: ours, Secret: seal("shh " + ours)},
		},
	}
	if err := n.opener.Open(s); err != nil {
		t.Fatal(err)
	}
	if err := n.books.directory.PutAccount(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := n.node.SetRoutes([]connector.Route{{Prefix: "test." + name, Account: s.ID}}); err != nil {
		t.Fatal(err)
	}
}

func (n *twin) ping(t *testing.T, to string, units uint64) ilpcore.Reply {
	t.Helper()
	wallet, err := n.node.Local("paul")
	if err != nil {
		t.Fatal(err)
	}
	p := ping(to, units)
	p.Data = make([]byte, 16)
	_, _ = rand.Read(p.Data)
	return wallet.HandlePrepare(t.Context(), p)
}

func (n *twin) wantBalances(t *testing.T, want map[ilpcore.AccountID]int64) {
	t.Helper()
	for id, net := range want {
		if got, _ := n.books.accounts.Balance(id); got.Net() != net {
			t.Errorf("account %s has %d, not %d", id, got.Net(), net)
		}
	}
}

func TestTwoNodesPingEachOther(t *testing.T) {
	alice, bob := newTwin(t, "alice"), newTwin(t, "bob")
	alice.peer(t, "bob", bob.url+"/accounts/alice/ilp", "bob at alice", "alice at bob")
	bob.peer(t, "alice", alice.url+"/ilp", "alice at bob", "bob at alice")
	for _, units := range []uint64{0, 1, 10} {
		if reply := alice.ping(t, "test.bob", units); !reply.Fulfilled || reply.Fulfillment != ilpcore.PingFulfillment {
			t.Fatalf("alice pings bob with %d: %s %s", units, reply.Code, reply.Message)
		}
	}
	if reply := bob.ping(t, "test.alice", 4); !reply.Fulfilled {
		t.Fatalf("bob pings alice: %s %s", reply.Code, reply.Message)
	}
	if reply := alice.ping(t, "test.bob.nobody", 3); reply.Fulfilled || reply.Code != ilpcore.F02 {
		t.Errorf("a ping to nobody: %v %s", reply.Fulfilled, reply.Code)
	}
	alice.wantBalances(t, map[ilpcore.AccountID]int64{"paul": -11, "bob": 11 - 4})
	bob.wantBalances(t, map[ilpcore.AccountID]int64{"paul": -4, "alice": 4 - 11})
}
