package caddymodule

import (
	"errors"
	"testing"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/nodeapi"
)

// TestASuccessorDoesNotPay: a payment of an account that was deleted before it began is not made by the new one of its name.
func TestASuccessorDoesNotPay(t *testing.T) {
	n, err := connector.NewNode(connector.Config{Address: "test.node", Asset: defaultAsset, Accounts: []connector.Account{{ID: "alice", UUID: "second", Relation: connector.Child}}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for uuid, gone := range map[string]bool{"first": true, "second": false} {
		d, err := (&sender{node: n}).Pay(t.Context(), nodeapi.Outgoing{From: "alice", UUID: uuid, Receiver: "no receiver", Amount: 5})
		if err == nil || errors.Is(err, errGone) != gone || d.Sent != 0 {
			t.Errorf("%s: %+v, %v", uuid, d, err)
		}
	}
}
