package nodeapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// flipping is a bed whose account alice is given another scale again and again, while bob pays her, and she somebody whose link takes its time.
type flipping struct {
	*bed
	addresses map[ilpcore.AccountID]invoice
	sequence  uint64
}

// put gives alice a scale, and returns the status.
func (f *flipping) put(t *testing.T, scale uint8) int {
	t.Helper()
	body := fmt.Sprintf(`{"username":"alice","asset_code":"xyz","asset_scale":%d,"ilp_over_http_incoming_token":"SECRET"}`, scale)
	return f.ask(t, "PUT", "/accounts/alice", asAdmin, body).Code
}

// slow is a link that fulfils after a while with the data.
type slow struct{}

func (slow) HandlePrepare(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	time.Sleep(time.Millisecond)
	return ilpcore.Fulfill([32]byte(in.Data), nil)
}

func (slow) Up() bool { return true }

// slowly is a packet of alice that is under way for a while.
func (f *flipping) slowly(units amount.Amount) ilpcore.Incoming {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // it never fails
	return ilpcore.Incoming{From: "alice", Prepare: ilpcore.Prepare{
		Amount: units, ExpiresAt: time.Now().Add(20 * time.Second), Condition: ilpcore.ConditionOf(secret), Destination: []byte("test.node.slow.x"), Data: secret[:],
	}}
}

// packet is one to an account, of the sender's base units; no other has its condition.
func (f *flipping) packet(t *testing.T, from, to ilpcore.AccountID, units amount.Amount) ilpcore.Incoming {
	t.Helper()
	f.sequence++
	in := f.addresses[to].packet(t, from, f.sequence, 0, nil)
	in.Amount = units
	return in
}

// worth is the balance of alice in bob's base units, whose scale is 9.
func (f *flipping) worth(t *testing.T) int64 {
	t.Helper()
	s, err := f.find("alice")
	if err != nil {
		t.Fatal(err)
	}
	balance, _ := f.books.Balance("alice")
	worth := balance.Net()
	for range 9 - s.Asset.Scale {
		worth *= 10
	}
	return worth
}

// settle pays back what alice owes or is owed.
func (f *flipping) settle(t *testing.T) {
	t.Helper()
	switch balance, _ := f.books.Balance("alice"); {
	case balance.Net() > 0:
		f.deliver(t, f.packet(t, "alice", "bob", amount.Amount(balance.Net())))
	case balance.Net() < 0:
		f.deliver(t, f.packet(t, "bob", "alice", amount.Amount(-f.worth(t))))
	}
}

// others is what everybody but alice has.
func (f *flipping) others() int64 { return f.total("bob", "slow") }

// TestNoMoneyInAnotherAsset: whatever comes first, what alice has is worth what the others have lost, to the last unit, in the scale that she has by then.
func TestNoMoneyInAnotherAsset(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	f := &flipping{bed: newBedOn(t, s, nil), addresses: make(map[ilpcore.AccountID]invoice)}
	for _, body := range []string{account("alice", aliceKey), `{"username":"bob","asset_code":"xyz","asset_scale":9}`} {
		if w := f.ask(t, "POST", "/accounts", asAdmin, body); w.Code >= 300 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	asset := ilpcore.Asset{Code: "XYZ", Scale: 9}
	if err := f.node.Put(connector.Account{ID: "slow", Relation: connector.Child, Asset: asset, Link: slow{}}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []ilpcore.AccountID{"alice", "bob"} {
		f.addresses[id] = f.invoice(t, "/accounts/"+string(id)+"/spsp")
	}
	scale, changed, moved := uint8(6), 0, 0
	change := func() {
		switch code := f.put(t, 15-scale); code {
		case http.StatusOK:
			scale, changed = 15-scale, changed+1
		case http.StatusConflict:
		default:
			t.Fatalf("%d", code)
		}
	}
	for round := range 150 {
		if round%10 == 0 { // for once without a race, so that it is changed whatever the machine is busy with
			change()
		}
		var wait sync.WaitGroup
		var delivered [4]bool
		for i := range delivered {
			units := amount.Amount(1000 * (i + 1))
			in := f.slowly(units)
			if i%2 == 1 {
				in = f.packet(t, "bob", "alice", units)
			}
			wait.Go(func() {
				time.Sleep(time.Duration(round*(i+1)) * 10 * time.Microsecond)
				delivered[i] = f.node.HandlePrepare(context.Background(), in).Fulfilled
			})
		}
		time.Sleep(time.Duration(150-round) * 10 * time.Microsecond)
		change()
		wait.Wait()
		for _, ok := range delivered {
			if ok {
				moved++
			}
		}
		if worth := f.worth(t); worth+f.others() != 0 {
			t.Fatalf("round %d, scale %d: alice has %d, the others %d", round, scale, worth, f.others())
		}
		f.settle(t)
	}
	if changed == 0 || moved == 0 {
		t.Errorf("%d changes, %d packets: nothing was tried", changed, moved)
	}
	if code := f.put(t, 15-scale); code != http.StatusOK {
		t.Errorf("with a balance of zero: %d", code)
	}
	f.deliver(t, f.packet(t, "bob", "alice", 1000)) // the account is open again
	if code := f.put(t, scale); code != http.StatusConflict {
		t.Errorf("with a balance: %d", code)
	}
	if worth := f.worth(t); worth+f.others() != 0 || worth == 0 {
		t.Errorf("alice has %d, the others %d", worth, f.others())
	}
}
