package nodeapi

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/internal/testengine"
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

// lateBed is a node whose account alice of the Caddyfile has the node's asset, which the parent has yet to tell, and its default engine. She is owed 150.
func lateBed(t *testing.T, parent lateParent, engine string, edit func(*Config)) *bed {
	t.Helper()
	uplink, err := connector.NewUplink(connector.UplinkConfig{
		Account: "up", Open: func(ilpcore.Handler, func(bool)) (connector.OpenLink, error) { return parent, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = uplink.Close() })
	engines := new(http.Transport)
	t.Cleanup(engines.CloseIdleConnections)
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
		edit(c)
	})
	if err := b.directory.SetTable(t.Context(), EnginesTable, map[string]string{"USD": engine}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.books.Refund(t.Context(), "alice", 150, nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTheDefaultEngineOfALearnedAsset: an account of the Caddyfile without an asset counts what the node does, and has the engine of that once the
// parent has told it; what is owed is settled then, without another packet.
func TestTheDefaultEngineOfALearnedAsset(t *testing.T) {
	e, parent := newEngine(t), lateParent{make(chan struct{})}
	b := lateBed(t, parent, e.URL, func(*Config) {})
	b.settler.first = time.Millisecond
	b.TakeOver()
	close(parent.told)
	eventually(t, "what was owed is settled", func() bool { return e.Total(3).Int64() == 140 && b.quiet() })
	shown := members(t, b.ask(t, "GET", "/accounts/alice/settlement", asAdmin, ""))
	if shown["engine"] != e.URL || b.clearing() != 10 {
		t.Errorf("the engine is %v, %d are left", shown["engine"], b.clearing())
	}
}

// TestALearnedAssetIsNotWaitedForLong: however long the parent has not told it, the account is settled within a minute once it has; and the log says
// once that it is waited for.
func TestALearnedAssetIsNotWaitedForLong(t *testing.T) {
	core, logged := observer.New(zap.DebugLevel)
	e, parent, c := newEngine(t), lateParent{make(chan struct{})}, newClock()
	e.Fail(func(call int) testengine.Fault {
		if call > 1 {
			return testengine.Fault{}
		}
		return testengine.Fault{Status: http.StatusServiceUnavailable} // which is waited for as if nothing had been before
	})
	b := lateBed(t, parent, e.URL, func(config *Config) { config.Now, config.After, config.Logger = c.Now, c.After, zap.New(core) })
	b.TakeOver()
	for range 12 {
		eventually(t, "the asset is waited for", func() bool { return c.waits() == 1 })
		c.pass(longestRetry)
	}
	eventually(t, "the asset is waited for", func() bool { return c.waits() == 1 })
	if n := logged.FilterField(zap.String("account", "alice")).Len(); n != 1 {
		t.Errorf("%d lines were logged", n)
	}
	close(parent.told)
	eventually(t, "the node has learned its asset", func() bool { return b.shownAsset(Settings{}).Code == "USD" })
	c.pass(30 * time.Second)
	eventually(t, "the engine has no time yet", func() bool { return e.Calls() == 1 && c.waits() == 1 })
	c.pass(time.Second)
	eventually(t, "what was owed is settled", func() bool { return e.Total(3).Int64() == 140 && b.quiet() })
}
