package nodeapi

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// messageLink is the neighbour: it fulfills messages with what it got, or answers with reject.
type messageLink struct {
	last   ilpcore.Prepare
	reject *ilpcore.Reply
}

func (l *messageLink) HandlePrepare(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	l.last = in.Prepare
	if l.reject != nil {
		return *l.reject
	}
	return ilpcore.Fulfill(ilpcore.PeerFulfillment, []byte("re: "+string(in.Data)))
}

func (*messageLink) Up() bool { return true }

func TestMessagesOfAnEngineReachTheNeighbour(t *testing.T) {
	b := newBed(t, withEngine)
	alice := b.settled(t, "alice", 2)
	link := new(messageLink)
	send := func(body string) *httptest.ResponseRecorder {
		return b.ask(t, "POST", "/accounts/"+alice.UUID+"/messages", "Bearer "+testEngine, body)
	}
	if w := send("x"); w.Code != http.StatusBadGateway {
		t.Errorf("without a link: %d %s", w.Code, w.Body)
	}
	if err := b.node.Put(connector.Account{ID: "alice", Relation: connector.NonRouting, Link: link}); err != nil {
		t.Fatal(err)
	}
	raw := "\x00{\"username\":\xff"
	if w := send(raw); w.Code != http.StatusCreated || w.Body.String() != "re: "+raw || w.Header().Get("Content-Type") != octets {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if p := link.last; string(p.Destination) != "peer.settle" || p.Amount != 0 || p.Condition != ilpcore.PeerCondition || string(p.Data) != raw {
		t.Errorf("sent %+v", p)
	}
	if w := send(string(make([]byte, connector.MaxSettleMessage+1))); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", w.Code)
	}
	reject := ilpcore.Reject(ilpcore.F02, "test.bob", "no engine here", nil)
	link.reject = &reject
	if w := send("x"); w.Code != http.StatusBadGateway {
		t.Errorf("rejected: %d %s", w.Code, w.Body)
	}
	if w := b.ask(t, "POST", "/accounts/nobody/messages", "Bearer "+testEngine, "x"); w.Code != http.StatusNotFound {
		t.Errorf("unknown account: %d", w.Code)
	}
	if w := b.ask(t, "POST", "/accounts/alice/messages", "Bearer wrong", "x"); w.Code != http.StatusUnauthorized {
		t.Errorf("wrong token: %d", w.Code)
	}
}

// late breaks the circle of node and API, as a program does.
type late struct{ api *API }

func (l *late) Message(ctx context.Context, from ilpcore.AccountID, data []byte) ([]byte, error) {
	return l.api.Message(ctx, from, data)
}

func TestMessagesOfTheNeighbourReachTheEngine(t *testing.T) {
	answers := map[string]func(w http.ResponseWriter){
		"hello": func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated); fmt.Fprint(w, "\x00hi") },
		"fail":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"long":  func(w http.ResponseWriter) { _, _ = w.Write(make([]byte, connector.MaxSettleMessage+1)) },
	}
	var path string
	e := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); r.Header.Get("Content-Type") == octets && answers[string(body)] != nil {
			path = r.URL.Path
			answers[string(body)](w)
		}
	}))
	t.Cleanup(e.Close)
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	messages := new(late)
	b := newBed(t, func(c *Config) {
		c.Engines = transport
		node, err := connector.NewNode(connector.Config{Address: "test.node", Asset: ilpcore.Asset{Code: "USD", Scale: 9}, Books: c.Books, Rates: c.Rates, Messages: messages})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { node.Close() })
		c.Node, c.Opener.(*opener).node = node, node
	})
	messages.api = b.API
	for name, engine := range map[string]string{"alice": fmt.Sprintf(`,"settlement_engine_url":%q`, e.URL), "bob": ""} {
		w := b.ask(t, "POST", "/accounts", asAdmin, fmt.Sprintf(`{"username":%q,"asset_code":"USD","asset_scale":9%s}`, name, engine))
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	alice, _ := b.find("alice")
	for _, test := range []struct {
		from      ilpcore.AccountID
		data      string
		condition [32]byte
		amount    amount.Amount
		want      string
	}{
		{"alice", "hello", ilpcore.PeerCondition, 0, "\x00hi"},
		{"alice", "hello", sha256.Sum256(nil), 0, "\x00hi"},
		{"alice", "hello", [32]byte{1}, 0, "F00"},
		{"alice", "hello", ilpcore.PeerCondition, 1, "F00"},
		{"alice", "fail", ilpcore.PeerCondition, 0, "T00"},
		{"alice", "long", ilpcore.PeerCondition, 0, "T00"},
		{"bob", "hello", ilpcore.PeerCondition, 0, "F02"},
	} {
		in := ilpcore.Incoming{From: test.from, Prepare: ilpcore.Prepare{
			Amount: test.amount, ExpiresAt: time.Now().Add(10 * time.Second), Condition: test.condition, Destination: []byte("peer.settle"), Data: []byte(test.data),
		}}
		reply := b.opener.node.HandlePrepare(t.Context(), in)
		got := string(reply.Data)
		if !reply.Fulfilled {
			got = reply.Code.String()
		} else if reply.Fulfillment != ilpcore.PeerFulfillment {
			t.Errorf("%+v: fulfillment %x", test, reply.Fulfillment)
		}
		if got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
	if want := "/accounts/" + alice.UUID + "/messages"; path != want {
		t.Errorf("the engine was asked at %s, want %s", path, want)
	}
}
