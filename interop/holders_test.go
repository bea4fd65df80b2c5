package interop

// This file is the holders of accounts: made by the API, paying and being paid over it, in the dialect of interledger-rs 1.0.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
)

// rustAPI is what ilp_node says for these tests: receivers and engines are on this machine.
const rustAPI = "\t\tapi rust-1.0\n\t\tallow_private"

// request makes one request to the node's API. An error is one of the connection.
func (g *gateway) request(method, path, bearer, key, body string) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, g.nodeURL()+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// asAdmin makes one request as the admin does, which has to be answered with 200, and reads the answer into into unless that is nil.
func (g *gateway) asAdmin(method, path, body string, into any) {
	g.t.Helper()
	status, answer, err := g.request(method, path, g.adminToken, "", body)
	if err != nil {
		g.t.Fatal(err)
	}
	if status != http.StatusOK {
		g.t.Fatalf("%s %s: status %d: %s", method, path, status, answer)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(answer, into); err != nil {
		g.t.Fatalf("%s %s: %v: %s", method, path, err, answer)
	}
}

// holder is somebody with an account.
type holder struct {
	g           *gateway
	name, token string
	id          string // the UUID, by which engines know the account
}

// newHolder makes an account; more are further members of the body.
func (g *gateway) newHolder(name, asset string, scale int, more ...string) *holder {
	g.t.Helper()
	h := &holder{g: g, name: name, token: newSecret()}
	members := append([]string{
		fmt.Sprintf(`"username":%q,"asset_code":%q,"asset_scale":%d,"ilp_over_http_incoming_token":%q`, name, asset, scale, h.token),
	}, more...)
	var made struct{ ID string }
	g.asAdmin("POST", "/accounts", "{"+strings.Join(members, ",")+"}", &made)
	h.id = made.ID
	return h
}

// pointer is where the holder is paid.
func (h *holder) pointer() string { return h.g.nodeURL() + "/accounts/" + h.name + "/spsp" }

// delivery is what became of a payment.
type delivery struct {
	To        string `json:"to"`
	Source    uint64 `json:"source_amount"`
	Sent      uint64 `json:"sent_amount"` // with what is in flight
	InFlight  uint64 `json:"in_flight_amount"`
	Delivered uint64 `json:"delivered_amount"`
}

// body of a payment.
func paymentBody(receiver string, units int) string {
	return fmt.Sprintf(`{"receiver":%q,"source_amount":%d,"slippage":0.025}`, receiver, units)
}

// pays wants that all of units is sent to a receiver, and that delivered arrives.
func (h *holder) pays(receiver string, units, delivered int) delivery {
	h.g.t.Helper()
	status, answer, err := h.g.request("POST", "/accounts/"+h.name+"/payments", h.token, "", paymentBody(receiver, units))
	var r delivery
	if err == nil {
		err = json.Unmarshal(answer, &r)
	}
	if err != nil || status != http.StatusOK || r.Sent != uint64(units) || r.InFlight != 0 || r.Delivered != uint64(delivered) {
		h.g.t.Fatalf("%s pays %d to %s: %v, status %d: %s", h.name, units, receiver, err, status, answer)
	}
	return r
}

// sends sends a packet as the holder's own node would.
func (h *holder) sends(t *testing.T, packet []byte) ilpcore.Reply {
	t.Helper()
	l := newLink(t, h.name)
	l.secret = h.token
	reply, err := l.sendByPath(h.g, packet)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// shown is the balance as the holder sees it, in whole units of the asset.
func (h *holder) shown() float64 {
	h.g.t.Helper()
	status, answer, err := h.g.request("GET", "/accounts/"+h.name+"/balance", h.token, "", "")
	var balance struct{ Balance float64 }
	if err == nil {
		err = json.Unmarshal(answer, &balance)
	}
	if err != nil || status != http.StatusOK {
		h.g.t.Fatalf("the balance of %s: %v, status %d: %s", h.name, err, status, answer)
	}
	return balance.Balance
}

// allOwed is the balances of all accounts.
func (g *gateway) allOwed() map[string]int {
	g.t.Helper()
	var status struct {
		Accounts []struct {
			ID      string
			Balance struct{ Clearing, Prepaid int }
		}
	}
	g.asAdmin("GET", "/status", "", &status)
	all := make(map[string]int)
	for _, a := range status.Accounts {
		all[a.ID] = a.Balance.Clearing + a.Balance.Prepaid
	}
	if len(all) == 0 {
		g.t.Fatal("there are no accounts")
	}
	return all
}

// notice is a message of a WebSocket of incoming payments.
type notice struct {
	To       string `json:"to_username"`
	From     string `json:"from_username"`
	Amount   int    `json:"amount"`
	Sequence int    `json:"sequence"`
	Closed   bool   `json:"connection_closed"`
}

// listen opens a WebSocket of the API and returns what reads its next message.
func (g *gateway) listen(path, bearer string) (next func() []byte) {
	g.t.Helper()
	header := http.Header{"Authorization": {"Bearer " + bearer}}
	c, _, err := websocket.Dial(g.t.Context(), g.nodeURL()+path, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.CloseNow() })
	return func() []byte {
		g.t.Helper()
		ctx, cancel := context.WithTimeout(g.t.Context(), 30*time.Second)
		defer cancel()
		_, message, err := c.Read(ctx)
		if err != nil {
			g.t.Fatalf("no message of a payment: %v", err)
		}
		return message
	}
}

// told is all that is said of one payment: the sum of its packets up to the message that ends it.
func told(t *testing.T, next func() []byte, into func([]byte) (*notice, error)) (sum int, last notice) {
	t.Helper()
	for packets := 0; ; packets++ {
		message := next()
		n, err := into(message)
		if err != nil {
			t.Fatalf("%v: %s", err, message)
		}
		if n.Closed {
			if n.Amount != 0 || packets == 0 {
				t.Errorf("after %d packets the closing message is %s", packets, message)
			}
			return sum, *n
		}
		sum += n.Amount
	}
}

// ofAccount and ofNode read a message of one account, and of all.
func ofAccount(message []byte) (*notice, error) {
	n := new(notice)
	return n, strict(message, n)
}

func ofNode(message []byte) (*notice, error) {
	var n struct{ Ok *notice }
	if err := strict(message, &n); err != nil {
		return nil, err
	}
	if n.Ok == nil {
		return nil, fmt.Errorf("no Ok")
	}
	return n.Ok, nil
}

func strict(message []byte, into any) error {
	if !bytes.HasPrefix(message, []byte("{")) {
		return fmt.Errorf("no object")
	}
	return json.Unmarshal(message, into)
}
