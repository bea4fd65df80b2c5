package nodeapi

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// lateParent is the link of a parent that says what the node is once told is closed.
type lateParent struct{ told chan struct{} }

func (p lateParent) HandlePrepare(ctx context.Context, _ ilpcore.Incoming) ilpcore.Reply {
	select {
	case <-ctx.Done():
	case <-p.told:
		reply, err := ilpcore.ILDCP{Address: "test.parent.node", Asset: ilpcore.Asset{Code: "USD", Scale: 3}}.Reply()
		if err == nil {
			return reply
		}
	}
	return ilpcore.Reject(ilpcore.R00, "", "not in time", nil)
}

func (lateParent) Up() bool     { return true }
func (lateParent) Close() error { return nil }

// TestTheDefaultEngineOfALearnedAsset: an account of the Caddyfile without an asset counts what the node does, and has the engine of that once the
// parent has told it; what is owed is settled then, without another packet.
func TestTheDefaultEngineOfALearnedAsset(t *testing.T) {
	parent := lateParent{make(chan struct{})}
	uplink, err := connector.NewUplink(connector.UplinkConfig{
		Account: "up", Open: func(ilpcore.Handler, func(bool)) (connector.OpenLink, error) { return parent, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = uplink.Close() }()
	e, engines := newEngine(t), new(http.Transport)
	defer engines.CloseIdleConnections()
	threshold, to := int64(100), int64(10)
	b := newBedOn(t, openStore(t, filepath.Join(t.TempDir(), "store")), func(c *Config) {
		node, err := connector.NewNode(connector.Config{
			Books: c.Books, Rates: c.Rates, Accounts: []connector.Account{{ID: "up", Relation: connector.Parent, Link: uplink}, {ID: "alice"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Node, c.Engines = node, engines
		c.Static = []Settings{{ID: "alice", UUID: "alice's", Form: FormRust, Relation: "peer", SettleThreshold: &threshold, SettleTo: &to, Origin: "Caddyfile:7"}}
	})
	b.settler.first = time.Millisecond
	if err := b.directory.SetTable(t.Context(), EnginesTable, map[string]string{"USD": e.URL}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.books.Refund(t.Context(), "alice", 150, nil); err != nil {
		t.Fatal(err)
	}
	b.TakeOver()
	close(parent.told)
	eventually(t, "what was owed is settled", func() bool { return e.Total(3).Int64() == 140 && b.quiet() })
	shown := members(t, b.ask(t, "GET", "/accounts/alice/settlement", asAdmin, ""))
	if shown["engine"] != e.URL || b.clearing() != 10 {
		t.Errorf("the engine is %v, %d are left", shown["engine"], b.clearing())
	}
}
