package caddymodule

// This file has two nodes with accounts that their APIs have made, in both dialects and over each link, pay each other's users, and adds the money up.

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/ilpcore"
)

// javaKey is that of the Java connector's published demonstration keystore, which the bodies of seed 000 are encrypted with.
const javaKey = "30acd5ade6db6380b0e7cc6ec897fae329d9e12637c21046dc0e1cef67817587"

// asks sends a request to the node's API with the admin's token, or another.
func (n *twin) asks(t *testing.T, method, path, token, body string, want int) string {
	t.Helper()
	if token == "" {
		token = n.admin(t)
	}
	request, err := http.NewRequest(method, n.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(path, "/routes/static/") && !strings.HasPrefix(body, "{") {
		request.Header.Set("Content-Type", "text/plain")
	}
	w := httptest.NewRecorder()
	n.ServeHTTP(w, request)
	if w.Code != want {
		t.Fatalf("%s %s answers %d, not %d: %s", method, path, w.Code, want, w.Body)
	}
	return w.Body.String()
}

func (n *twin) admin(t *testing.T) string {
	t.Helper()
	token, err := n.books.secret(adminTokenFile)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// pays pays a user of another node and returns the receipt.
func (n *twin) pays(t *testing.T, from, token, receiver, units string) map[string]any {
	t.Helper()
	return object(t, n.asks(t, http.MethodPost, "/accounts/"+from+"/payments", token, `{"receiver":"`+receiver+`","source_amount":`+units+`}`, http.StatusOK))
}

func object(t *testing.T, text string) (members map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return members
}

// wantReceipt wants a payment in full, to somebody below an address.
func wantReceipt(t *testing.T, receipt map[string]any, below, units string) {
	t.Helper()
	to, _ := receipt["to"].(string)
	if receipt["sent_amount"] != json.Number(units) || receipt["delivered_amount"] != json.Number(units) || !strings.HasPrefix(to, below+".") {
		t.Errorf("the receipt is %v, not of %s to %s", receipt, units, below)
	}
}

// frame is a message of payments/incoming.
type frame struct {
	To     string      `json:"to_username"`
	From   string      `json:"from_username"`
	Amount json.Number `json:"amount"`
	Closed bool        `json:"connection_closed"`
}

// listens returns what reads the messages for an account, and what ends that.
func (n *twin) listens(t *testing.T, account, token string) (read func() frame, leave func() error) {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + token}}
	c, _, err := websocket.Dial(t.Context(), n.url+"/accounts/"+account+"/payments/incoming", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	return func() (f frame) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, message, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(message, &f); err != nil {
			t.Fatal(err)
		}
		return f
	}, c.CloseNow
}

const (
	aliceToken = "alice's token has thirty-two bytes or more"
	bobToken   = "bob's token has thirty-two bytes or more too"
	peerToken  = "the peers' token has thirty-two bytes as well"
)

// userBody is the body of seed 001 for a user.
func userBody(name, token string) string {
	return `{"username":"` + name + `","asset_code":"USD","asset_scale":9,"max_packet_amount":400,"ilp_over_http_incoming_token":"` + token + `"}`
}

// peerBody is the body of seed 001 for a peer.
func peerBody(name, links string) string {
	return `{"username":"` + name + `","ilp_address":"test.` + name + `","asset_code":"USD","asset_scale":9,"routing_relation":"Peer",` + links + `}`
}

func TestUsersOfTwoNodesPayEachOther(t *testing.T) {
	for name, peer := range map[string]func(near, far *twin) (atNear, atFar string){
		"HTTP": func(near, far *twin) (atNear, atFar string) {
			both := `"ilp_over_http_incoming_token":"` + peerToken + `","ilp_over_http_outgoing_token":"` + peerToken + `","ilp_over_http_url":"`
			return both + far.url + `/accounts/near/ilp"`, both + near.url + `/ilp"`
		},
		"BTP": func(_, far *twin) (atNear, atFar string) {
			return `"ilp_over_btp_outgoing_token":"` + peerToken + `","ilp_over_btp_url":"btp+ws` + strings.TrimPrefix(far.url, "http") + `/accounts/near/ilp/btp"`,
				`"ilp_over_btp_incoming_token":"` + peerToken + `"`
		},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := newTwin(t, "near"), newTwin(t, "far")
			atNear, atFar := peer(near, far)
			near.asks(t, "POST", "/accounts", "", userBody("alice", aliceToken), http.StatusOK)
			far.asks(t, "POST", "/accounts", "", userBody("bob", bobToken), http.StatusOK)
			far.asks(t, "POST", "/accounts", "", peerBody("near", atFar), http.StatusOK)
			near.asks(t, "POST", "/accounts", "", peerBody("far", atNear), http.StatusOK)
			eventually(t, "the peers are connected", func() bool { return near.ping(t, "test.far", 0).Fulfilled })
			near.payTwice(t, far)
			near.wantHistory(t, "alice", "received 2000 by far", "sent 1000 by "+far.url+"/accounts/bob/spsp")
			near.restart(t)
			far.restart(t)
			far.wantHistory(t, "bob", "sent 2000 by "+near.url+"/accounts/alice/spsp", "received 1000 by near")
			eventually(t, "the peers are connected again", func() bool { return near.ping(t, "test.far", 0).Fulfilled })
			near.wantBalances(t, map[ilpcore.AccountID]int64{"alice": 1000, "far": -1000})
			far.wantBalances(t, map[ilpcore.AccountID]int64{"bob": -1000, "near": 1000})
			wantReceipt(t, near.pays(t, "alice", "alice:"+aliceToken, far.url+"/accounts/bob/spsp", "1000"), "test.far.bob", "1000")
			near.wantBalances(t, map[ilpcore.AccountID]int64{"alice": 0, "far": 0})
			far.wantBalances(t, map[ilpcore.AccountID]int64{"bob": 0, "near": 0})
		})
	}
}

// payTwice sends 1000 there in packets of at most 400, and 2000 back, with an eye on the messages and the balances that the API shows.
func (n *twin) payTwice(t *testing.T, far *twin) {
	t.Helper()
	read, leave := far.listens(t, "bob", bobToken)
	defer func() { _ = leave() }()
	wantReceipt(t, n.pays(t, "alice", "alice:"+aliceToken, far.url+"/accounts/bob/spsp", "1000"), "test.far.bob", "1000")
	sum, packets := int64(0), 0
	for {
		f := read()
		if f.Closed {
			if f.Amount != "0" {
				t.Errorf("the closing message is %+v", f)
			}
			break
		}
		units, err := f.Amount.Int64()
		if err != nil || units > 400 || f.To != "bob" || f.From != "near" {
			t.Errorf("a message is %+v, %v", f, err)
		}
		sum, packets = sum+units, packets+1
	}
	if sum != 1000 || packets < 3 {
		t.Errorf("%d messages tell of %d", packets, sum)
	}
	n.wantBalances(t, map[ilpcore.AccountID]int64{"alice": -1000, "far": 1000})
	far.wantBalances(t, map[ilpcore.AccountID]int64{"bob": 1000, "near": -1000})
	wantReceipt(t, far.pays(t, "bob", bobToken, n.url+"/accounts/alice/spsp", "2000"), "test.near.alice", "2000")
	n.wantBalances(t, map[ilpcore.AccountID]int64{"alice": 1000, "far": -1000})
	far.wantBalances(t, map[ilpcore.AccountID]int64{"bob": -1000, "near": 1000})
	if got := object(t, n.asks(t, "GET", "/accounts/alice/balance", "alice:"+aliceToken, "", http.StatusOK)); got["balance"] != json.Number("1000") {
		t.Errorf("alice sees %v", got)
	}
}

// wantHistory wants what an account has paid and been paid, newest first, and that it adds up to its balance.
func (n *twin) wantHistory(t *testing.T, account string, want ...string) {
	t.Helper()
	page := object(t, n.asks(t, "GET", "/accounts/"+account+"/payments", "", "", http.StatusOK))
	var got []string
	net := int64(0)
	for _, p := range page["payments"].([]any) {
		one := p.(map[string]any)
		units, err := one["amount"].(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		with := one["from_username"] // the end of a connection is written down a moment later, so the state is not looked at
		net += units
		if one["direction"] == "sent" {
			with = one["receiver"]
			if one["state"] != "completed" {
				t.Errorf("%v is not completed", one)
			}
			net -= 2 * units
		}
		got = append(got, fmt.Sprintf("%s %d by %s", one["direction"], units, with))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the history of %s (-want +got):\n%s", account, diff)
	}
	n.wantBalances(t, map[ilpcore.AccountID]int64{ilpcore.AccountID(account): net})
}

// TestPeersOfSeed000PayEachOther has the accounts of the Java connector's peering guide, with the URLs of this machine.
func TestPeersOfSeed000PayEachOther(t *testing.T) {
	alice, bob := newTwin(t, "alice"), newTwin(t, "bob")
	for _, c := range []struct {
		node, other *twin
		peer, child string
	}{{alice, bob, "bob", "peter"}, {bob, alice, "alice", "pauline"}} {
		c.node.asks(t, "PUT", "/encryption/keys/jks", "", javaKey, http.StatusNoContent)
		for _, name := range []string{c.peer, c.child} {
			body, err := os.ReadFile(filepath.Join("..", "nodeapi", "testdata", "java", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			moved := strings.Replace(string(body), "https://"+c.peer+".example.com", c.other.url, 1)
			c.node.asks(t, "POST", "/accounts", "", moved, http.StatusCreated)
		}
		c.node.asks(t, "PUT", "/routes/static/test."+c.peer, "", `{"routePrefix":"test.`+c.peer+`","nextHopAccountId":"`+c.peer+`"}`, http.StatusCreated)
	}
	wantReceipt(t, alice.pays(t, "peter", "shh", bob.url+"/accounts/pauline/spsp", "1000"), "test.bob.pauline", "1000")
	wantReceipt(t, bob.pays(t, "pauline", "shh", alice.url+"/accounts/peter/spsp", "2000"), "test.alice.peter", "2000")
	alice.restart(t)
	alice.wantBalances(t, map[ilpcore.AccountID]int64{"peter": 1000, "bob": -1000})
	bob.wantBalances(t, map[ilpcore.AccountID]int64{"pauline": -1000, "alice": 1000})
	wantReceipt(t, alice.pays(t, "peter", "shh", bob.url+"/accounts/pauline/spsp", "1000"), "test.bob.pauline", "1000")
	alice.wantBalances(t, map[ilpcore.AccountID]int64{"peter": 0, "bob": 0})
}

// TestTablesOverHTTP sets rates and routes, and wants them back, also after a restart.
func TestTablesOverHTTP(t *testing.T) {
	n := newTwin(t, "near")
	n.asks(t, "POST", "/accounts", "", peerBody("far", `"ilp_over_http_incoming_token":"`+peerToken+`"`), http.StatusOK)
	n.asks(t, "PUT", "/rates", "", `{"USD":1.0,"EUR":1.08}`, http.StatusOK)
	n.asks(t, "PUT", "/routes/static/test.elsewhere", "", "far", http.StatusOK)
	for _, when := range []string{"at once", "after a restart"} {
		if got := n.asks(t, "GET", "/rates", "", "", http.StatusOK); !cmp.Equal(object(t, got)["EUR"], any(json.Number("1.08"))) {
			t.Errorf("%s the rates are %s", when, got)
		}
		if got := object(t, n.asks(t, "GET", "/routes", "", "", http.StatusOK)); got["test.elsewhere"] != "far" {
			t.Errorf("%s the routes are %v", when, got)
		}
		n.restart(t)
	}
}

// TestPaymentsThatFail wants nothing paid, and the reason said.
func TestPaymentsThatFail(t *testing.T) {
	n, far := newTwin(t, "near"), newTwin(t, "far")
	both := `"ilp_over_http_incoming_token":"` + peerToken + `","ilp_over_http_outgoing_token":"` + peerToken + `","ilp_over_http_url":"`
	n.asks(t, "POST", "/accounts", "", userBody("alice", aliceToken), http.StatusOK)
	far.asks(t, "POST", "/accounts", "", `{"username":"euro","asset_code":"EUR","asset_scale":2}`, http.StatusOK)
	far.asks(t, "PUT", "/rates", "", `{"USD":1,"EUR":1.2}`, http.StatusOK)
	far.asks(t, "POST", "/accounts", "", peerBody("near", both+n.url+`/ilp"`), http.StatusOK)
	n.asks(t, "POST", "/accounts", "", strings.Replace(userBody("rich", bobToken), "400", "100000000000", 1), http.StatusOK)
	n.asks(t, "POST", "/accounts", "", peerBody("far", both+far.url+`/ilp"`), http.StatusOK)
	try := func(want int) string {
		t.Helper()
		return n.asks(t, http.MethodPost, "/accounts/rich/payments", bobToken, `{"receiver":"`+far.url+`/accounts/euro/spsp","source_amount":120000000000}`, want)
	}
	if got := try(http.StatusInternalServerError); !strings.Contains(got, "no exchange rate from USD") {
		t.Errorf("without a rate: %s", got)
	}
	n.asks(t, "PUT", "/rates", "", `{"USD":1,"EUR":1.1}`, http.StatusOK)
	if got := try(http.StatusInternalServerError); !strings.Contains(got, "below the least") {
		t.Errorf("with less than the rate: %s", got)
	}
	n.wantBalances(t, map[ilpcore.AccountID]int64{"rich": 0, "far": 0})
	n.asks(t, "PUT", "/rates", "", `{"USD":1,"EUR":1.21}`, http.StatusOK)
	if got := object(t, try(http.StatusOK)); got["delivered_amount"] != json.Number("10000") || got["destination_asset_code"] != "EUR" {
		t.Errorf("with enough: %v", got)
	}
	pay := func(receiver, why string) {
		t.Helper()
		got := n.asks(t, "POST", "/accounts/alice/payments", aliceToken, `{"receiver":"`+receiver+`","source_amount":100000000}`, http.StatusInternalServerError)
		if detail, _ := object(t, got)["detail"].(string); !strings.Contains(detail, why) {
			t.Errorf("%s: %s", receiver, detail)
		}
	}
	pay(n.url+"/accounts/nobody/spsp", "there is no such receiver")
	pay("http://pay.example/x", "is not https")
	n.app.allowPrivate = false
	if err := n.api.Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.newAPI(); err != nil {
		t.Fatal(err)
	}
	pay(strings.Replace(n.url, "http:", "https:", 1)+"/accounts/euro/spsp", "port")
	pay("https://127.0.0.1/accounts/euro/spsp", "allow_private")
	for _, engine := range []string{"http://localhost:3000", "http://10.0.0.1", "http://[::1]:3000"} {
		n.asks(t, "PUT", "/settlement/engines", "", `{"USD":"`+engine+`"}`, http.StatusBadRequest)
	}
	n.asks(t, "PUT", "/settlement/engines", "", `{"USD":"http://engine.example:3000"}`, http.StatusOK)
	n.wantBalances(t, map[ilpcore.AccountID]int64{"alice": 0})
}
