package connector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/ilpcore"
)

// TestEachPacketIsShown wants every packet of an account shown once as it came, and once as it went on, with the amount of each side.
func TestEachPacketIsShown(t *testing.T) { inBothWays(t, testEachPacketIsShown) }

func testEachPacketIsShown(t *testing.T, send way) {
	now := noon
	var shown []Passage
	wrong := answers(ilpcore.Fulfill([32]byte{9}, nil))
	n := newNode(t, Config{
		Address: "test.gw", Asset: usd9, Rates: newRates(t, "", "USD", "1", "EUR", "2"), Passed: func(p Passage) { shown = append(shown, p) },
		Now: func() time.Time { now = now.Add(time.Millisecond); return now },
		Accounts: []Account{
			{ID: "alice", Relation: NonRouting},
			{ID: "euro", Asset: ilpcore.Asset{Code: "EUR", Scale: 9}, Link: answers(ilpcore.Fulfill(testFulfillment, nil))},
			{ID: "liar", Relation: Child, Link: wrong},
		},
		Routes: []Route{{"test.euro", "euro"}},
	})
	for _, destination := range []string{"test.euro.x", "test.gw.liar", "test.nowhere"} {
		send(n, t.Context(), packet("alice", destination))
	}
	send(n, t.Context(), packet("nobody", "test.euro.x"))
	want := []Passage{
		{Outgoing: true, Account: "euro", Relation: Peer, Asset: ilpcore.Asset{Code: "EUR", Scale: 9}, Amount: 5},
		{Account: "alice", Relation: NonRouting, Asset: usd9, Amount: 10},
		{Outgoing: true, Account: "liar", Relation: Child, Asset: usd9, Amount: 10, Reject: ilpcore.F05},
		{Account: "alice", Relation: NonRouting, Asset: usd9, Amount: 10, Reject: ilpcore.F05},
		{Account: "alice", Relation: NonRouting, Asset: usd9, Amount: 10, Reject: ilpcore.F02},
	}
	for i := range shown {
		if shown[i].Took <= 0 {
			t.Errorf("%+v took no time", shown[i])
		}
	}
	if shown[1].Took <= shown[0].Took {
		t.Errorf("the packet took %v in all, and %v of it at the next node", shown[1].Took, shown[0].Took)
	}
	for i := range shown {
		shown[i].Took = 0
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPacketsForHoldersAreShown wants the receiving account shown too, in its own asset.
func TestPacketsForHoldersAreShown(t *testing.T) {
	var shown []Passage
	now := func() time.Time { return noon }
	n := receivingNode(t, newBooks(), &cashier{deadline: noon.Add(time.Minute)}, now)
	n.passed = func(p Passage) { shown = append(shown, p) }
	in := payment("bob", 1)
	in.Condition = packet("bob", "test.gw.alice.pay").Condition
	if reply := n.HandlePrepare(t.Context(), in); !reply.Fulfilled {
		t.Fatalf("%+v", reply)
	}
	want := []Passage{
		{Outgoing: true, Account: "alice", Relation: NonRouting, Asset: ilpcore.Asset{Code: "USD", Scale: 3}, Amount: 100},
		{Account: "bob", Relation: Child, Asset: ilpcore.Asset{Code: "USD", Scale: 2}, Amount: 10},
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
