package connector

import (
	"context"
	"crypto/sha256"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paydoor/paydoor/ilpcore"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("PAYDOOR_NODE_CHILD"); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

var (
	usd9 = ilpcore.Asset{Code: "USD", Scale: 9}
	eur2 = ilpcore.Asset{Code: "EUR", Scale: 2}
	noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
)

var testFulfillment = [32]byte{1, 2, 3}

func packet(from ilpcore.AccountID, destination string) ilpcore.Incoming {
	return ilpcore.Incoming{From: from, Prepare: ilpcore.Prepare{
		Amount: 10, ExpiresAt: noon.Add(20 * time.Second), Condition: sha256.Sum256(testFulfillment[:]), Destination: []byte(destination),
	}}
}

// testLink records the last packet and fulfills it.
type testLink struct {
	name string
	down bool
	last ilpcore.Prepare
}

func (l *testLink) HandlePrepare(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	l.last = in.Prepare
	return ilpcore.Fulfill(testFulfillment, []byte(l.name))
}

func (l *testLink) StartPrepare(ctx context.Context, in ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) bool {
	asker.Answered(l.HandlePrepare(ctx, in), burst)
	return true
}

func (l *testLink) Up() bool { return !l.down }

// named fulfills with its name as data.
func named(name string) ilpcore.Handler {
	return ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
		return ilpcore.Fulfill(testFulfillment, []byte(name))
	})
}

// outcome is the code of a reject, or what follows "by " in the data of a fulfill.
func outcome(r ilpcore.Reply) string {
	if r.Fulfilled {
		return "by " + string(r.Data)
	}
	return r.Code.String()
}

func newTestNode(t testing.TB, edit func(*Config)) *Node {
	t.Helper()
	c := Config{
		Address: "test.gw", Asset: usd9, Receiver: named("receiver"), Now: func() time.Time { return noon },
		Accounts: []Account{
			{ID: "up", Relation: Parent, Link: &testLink{name: "up"}},
			{ID: "kid", Relation: Child, Link: &testLink{name: "kid"}},
			{ID: "mute", Relation: Child},
			{ID: "wallet", Relation: Local},
			{ID: "bob", Link: &testLink{name: "bob"}},
			{ID: "euro", Asset: eur2, Link: &testLink{name: "euro"}},
			{ID: "small", MaxPacketAmount: 9},
		},
		Routes: []Route{{"test.bob", "bob"}, {"test.bob.deep", "kid"}, {"test.euro", "euro"}, {"test.gw.special", "bob"}, {"test.gw.kid.sub", "bob"}},
	}
	if edit != nil {
		edit(&c)
	}
	n, err := NewNode(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
