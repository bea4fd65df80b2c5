package nodeapi

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

func TestAccountsWithABalanceStay(t *testing.T) {
	b := newBed(t, nil)
	b.createJava(t, map[string]any{"accountId": "payer", "customSettings": credentials["simple"]})
	b.createJava(t, map[string]any{"accountId": "loop", "linkType": "LOOPBACK"})
	b.pay(t, "payer", "test.node.loop", 5)
	for _, test := range []struct{ account, authorization, net string }{{"payer", "Bearer " + strong, "-5"}, {"loop", basic, "5"}, {"payer", basic, "-5"}} {
		got := members(t, b.ask(t, "GET", "/accounts/"+test.account+"/balance", test.authorization, ""))
		want := map[string]any{"assetCode": "USD", "assetScale": "6", "accountBalance": map[string]any{
			"accountId": test.account, "netBalance": test.net, "clearingBalance": test.net, "prepaidAmount": "0"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.account, diff)
		}
	}
	refusal(t, b.ask(t, "DELETE", "/accounts/payer", basic, ""), 409)
	refusal(t, b.ask(t, "PUT", "/accounts/payer", basic, accountBody(t, map[string]any{"accountId": "payer", "assetScale": 7, "customSettings": credentials["simple"]})), 409)
	b.pay(t, "payer", "test.node.loop", 1)
	if balance, _ := b.books.Balance("payer"); balance != (connector.Balance{Clearing: -6}) {
		t.Errorf("%+v", balance)
	}
}

// pay sends one packet that a loopback fulfils.
func (b *bed) pay(t *testing.T, from ilpcore.AccountID, to string, n amount.Amount) {
	t.Helper()
	reply := b.node.HandlePrepare(t.Context(), ilpcore.Incoming{From: from, Prepare: ilpcore.Prepare{
		Amount: n, Destination: []byte(to), Condition: ilpcore.PeerCondition, ExpiresAt: time.Now().Add(10 * time.Second)}})
	if !reply.Fulfilled {
		t.Fatalf("%+v", reply)
	}
}

func TestAccountsChangeAtOnce(t *testing.T) {
	b := newBed(t, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id := fmt.Sprintf("a%d", i%4) // every account has two who want it
			body := accountBody(t, map[string]any{"accountId": id, "linkType": "LOOPBACK", "customSettings": credentials["simple"]})
			for range 5 {
				for _, step := range []struct {
					method, path string
					statuses     string
				}{
					{"POST", "/accounts", "201 409"}, {"PUT", "/accounts/" + id, "200 404"}, {"GET", "/accounts", "200"}, {"GET", "/accounts/" + id, "200 404"},
					{"PUT", "/routes/static/test." + id, "415"}, {"DELETE", "/accounts/" + id, "204 404"},
				} {
					sent := body
					if step.method == "GET" || step.method == "DELETE" || step.statuses == "415" {
						sent = ""
					}
					if w := b.ask(t, step.method, step.path, basic, sent); !strings.Contains(step.statuses, fmt.Sprint(w.Code)) {
						t.Errorf("%s %s: %d %s", step.method, step.path, w.Code, w.Body)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, s := range b.directory.Accounts() {
		if _, ok := b.node.Account(s.ID); !ok {
			t.Errorf("%s is kept and does not work", s.ID)
		}
	}
	if working := len(b.node.Status().Accounts); working != len(b.directory.Accounts()) {
		t.Errorf("%d accounts work, %d are kept", working, len(b.directory.Accounts()))
	}
}

func FuzzJavaAccount(f *testing.F) {
	b := newBed(f, nil)
	b.createJava(f, map[string]any{"customSettings": credentials["jwt"]})
	f.Add([]byte(accountBody(f, full)))
	for _, custom := range credentials {
		f.Add([]byte(accountBody(f, map[string]any{"customSettings": custom})))
	}
	f.Add([]byte(`{"accountId":"bob","accountRelationship":"PEER","linkType":"PING","assetCode":"\ud800","assetScale":"0x1","customSettings":{"":{"":null}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		before, err := b.directory.Account("bob")
		if err != nil {
			t.Fatal(err)
		}
		w := b.ask(t, "PUT", "/accounts/bob", basic, string(body))
		after, err := b.directory.Account("bob")
		if err != nil {
			t.Fatal(err)
		}
		switch diff := cmp.Diff(before, after); {
		case w.Code == http.StatusOK:
			if w := b.ask(t, "PUT", "/accounts/bob", basic, w.Body.String()); w.Code != http.StatusOK {
				t.Errorf("what was answered is not taken back: %d %s", w.Code, w.Body)
			}
		case w.Code < 400 || w.Code > 499:
			t.Errorf("%d %s", w.Code, w.Body)
		case diff != "":
			t.Errorf("%d, but:\n%s", w.Code, diff)
		}
	})
}
