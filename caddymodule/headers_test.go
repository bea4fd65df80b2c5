package caddymodule

// This file links the node to others by ILP headers: payments and rejections that cross such links, with ILP over HTTP on either side.

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/ilpheaders"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/nodeapi"
)

var farFulfillment = [32]byte{7, 7}

// other is a node in this process besides the one that Caddy runs. It takes packets in bodies and in headers from whoever has the token.
type other struct {
	*connector.Node
	url string
}

// newOther serves a node whose own address is answered by receiver. links makes its links by account; packets of each account log in with
// the account's name and strong behind it.
func newOther(t *testing.T, address ilpcore.Address, routes []connector.Route, links map[ilpcore.AccountID]connector.Link, receiver ilpcore.Handler) *other {
	t.Helper()
	credentials := ilphttp.NewCredentials(nil)
	config := connector.Config{Address: address, Asset: defaultAsset, Routes: routes, Receiver: receiver}
	for id, link := range links {
		account := connector.Account{ID: id, Relation: connector.Peer, Link: link}
		if id == "wallet" {
			account.Relation = connector.Local
		}
		config.Accounts = append(config.Accounts, account)
		credentials.Add(id, string(id)+strong)
		credentials.AddJWT(id, ilphttp.JWT{Subject: string(id), Secret: []byte(string(id) + strong)})
	}
	node, err := connector.NewNode(config)
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := ilphttp.NewServer(ilphttp.ServerConfig{Accounts: credentials, Handler: node})
	if err != nil {
		t.Fatal(err)
	}
	headers, err := ilpheaders.NewServer(ilpheaders.ServerConfig{Accounts: credentials, Handler: node, Self: func() ilpcore.Address { return address }})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ilp", bodies)
	mux.Handle("/{$}", headers)
	served := httptest.NewServer(mux)
	t.Cleanup(served.Close)
	return &other{node, served.URL}
}

// byHeaders and byBodies return links to a URL.
func byHeaders(t *testing.T, url, token string) connector.Link {
	t.Helper()
	c, err := ilpheaders.NewClient(ilpheaders.ClientConfig{Endpoint: url, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func byBodies(t *testing.T, url, token string) connector.Link {
	t.Helper()
	c, err := ilphttp.NewClient(ilphttp.ClientConfig{Endpoint: url, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// chain is test.paydoor, which Caddy runs and a kid pays through, linked by headers to test.near. That is linked by ILP over HTTP to
// test.far, which has a wallet and fulfils what comes, and by headers to test.end, where nobody is.
type chain struct {
	*server
	kid connector.Link  // of test.paydoor, by ILP over HTTP
	far ilpcore.Handler // the wallet
}

func newChain(t *testing.T, outgoing string) chain {
	t.Helper()
	s := newServer(t)
	late := new(lateLink)
	far := newOther(t, "test.far", []connector.Route{{Account: "near"}}, map[ilpcore.AccountID]connector.Link{"near": late, "wallet": nil},
		ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
			return ilpcore.Fulfill(farFulfillment, bytes.Clone(in.Data))
		}))
	end := newOther(t, "test.end", nil, map[ilpcore.AccountID]connector.Link{"near": nil}, nil)
	near := newOther(t, "test.near",
		[]connector.Route{{Prefix: "test.paydoor", Account: "paydoor"}, {Prefix: "test.far", Account: "far"}, {Prefix: "test.end", Account: "end"}},
		map[ilpcore.AccountID]connector.Link{
			"paydoor": byHeaders(t, "http://"+s.node+"/", "in"+strong),
			"far":     byBodies(t, far.url+"/ilp", "near"+strong),
			"end":     byHeaders(t, end.url, "near"+strong),
		}, nil)
	late.Link = byBodies(t, near.url+"/ilp", "far"+strong)
	s.options += `
		account near {
			relation peer
			headers ` + near.url + `/ {
				incoming simple in` + strong + `
				outgoing ` + outgoing + `
			}
		}
		account kid {
			relation child
			http {
				incoming simple kid` + strong + `
			}
		}
		route test.near near
		route test.far near
		route test.end near
		route test.gone near`
	s.load()
	wallet, err := far.Local("wallet")
	if err != nil {
		t.Fatal(err)
	}
	return chain{s, byBodies(t, "http://"+s.node+"/ilp", "kid"+strong), wallet}
}

// lateLink is a link whose other end does not exist yet when the account that has it is made.
type lateLink struct{ connector.Link }

func packetTo(destination string, data []byte) ilpcore.Prepare {
	return ilpcore.Prepare{
		Amount: 5, ExpiresAt: time.Now().Add(20 * time.Second), Condition: ilpcore.ConditionOf(farFulfillment), Destination: []byte(destination), Data: data,
	}
}

// TestHeadersInTheMiddle has a link with ILP headers between two by ILP over HTTP: a payment comes over it and is credited, and one goes out.
func TestHeadersInTheMiddle(t *testing.T) {
	for _, outgoing := range []string{"simple paydoor" + strong, "jwt_hs256 paydoor paydoor" + strong} {
		t.Run(strings.Fields(outgoing)[0], func(t *testing.T) {
			c := newChain(t, outgoing)
			c.buys(c.far, "10")
			c.buys(c.far, "20")
			for _, data := range [][]byte{nil, []byte("to the far end"), bytes.Repeat([]byte{0, 255}, ilpcore.MaxData/2)} {
				reply := c.kid.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: packetTo("test.far.x", data)})
				if !reply.Fulfilled || reply.Fulfillment != farFulfillment || !bytes.Equal(reply.Data, data) {
					t.Errorf("%d bytes came back as %d: %s %s", len(data), len(reply.Data), reply.Code, reply.Message)
				}
			}
			if reply := c.kid.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: packetTo("test.end.x", nil)}); reply.Code != ilpcore.F02 || reply.TriggeredBy != "test.end" {
				t.Errorf("to nobody: %+v", reply)
			}
			c.want(c.do(http.MethodOptions, "/"), http.StatusNoContent, "20")
		})
	}
}

// TestRejectAcrossHeaders sends requests of draft 1 to the node. Who passed a rejection on shows in their order, and who made it does not.
func TestRejectAcrossHeaders(t *testing.T) {
	c := newChain(t, "simple paydoor"+strong)
	for name, test := range map[string]struct {
		destination, by, forwarded string
	}{
		"three nodes away": {"test.end.nobody", "test.end", "test.near,test.paydoor"},
		"two nodes away":   {"test.gone", "test.near", "test.paydoor"},
		"here":             {"test.nowhere", "test.paydoor", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/", "/ilp", "/accounts/kid/ilp"} {
				start := time.Now().Truncate(time.Millisecond)
				a := c.postHeaders(path, test.destination)
				if a.StatusCode != http.StatusNotFound || a.Header.Get("ILP-Error-Code") != "F02" || a.Header.Get("ILP-Error-Name") != "Unreachable" ||
					a.Header.Get("ILP-Error-Triggered-By") != test.by || a.Header.Get("ILP-Error-Forwarded-By") != test.forwarded ||
					!strings.Contains(a.Header.Get("Cache-Control"), "no-store") {
					t.Errorf("%s answers %s %v %s", path, a.Status, a.Header, a.body)
				}
				at, err := time.Parse("2006-01-02T15:04:05.000Z", a.Header.Get("ILP-Error-Triggered-At"))
				if err != nil || at.Before(start) || at.After(time.Now()) {
					t.Errorf("triggered at %v, %v", at, err)
				}
			}
		})
	}
	far := c.postHeaders("/", "test.far.x")
	if far.StatusCode != http.StatusOK || far.Header.Get("ILP-Fulfillment") == "" || far.body != "data" {
		t.Errorf("a packet that goes through: %s %v %s", far.Status, far.Header, far.body)
	}
}

// postHeaders sends a request of draft 1 as the kid.
func (c chain) postHeaders(path, destination string) answer {
	c.t.Helper()
	p := packetTo(destination, nil)
	request, err := http.NewRequest(http.MethodPost, "http://"+c.node+path, strings.NewReader("data"))
	if err != nil {
		c.t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer kid:kid" + strong, "ILP-Destination": destination, "ILP-Amount": p.Amount.String(),
		"ILP-Condition": base64.RawURLEncoding.EncodeToString(p.Condition[:]), "ILP-Expiry": p.ExpiresAt.UTC().Format("2006-01-02T15:04:05Z"),
	} {
		request.Header.Set(name, value)
	}
	return c.send(request)
}

// TestHeadersLinkIsListed: the API shows an account with a headers link as one that posts packets.
func TestHeadersLinkIsListed(t *testing.T) {
	c := newChain(t, "jwt_hs256 paydoor paydoor"+strong)
	app, ok := activeApp()
	if !ok {
		t.Fatal("no app is running")
	}
	list, err := app.opened.Load().staticAccounts()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.ID != "near" {
			continue
		}
		out := a.HTTP.Outgoing
		if a.Link != nodeapi.LinkHTTP || !strings.HasPrefix(a.HTTP.URL, "http://127.0.0.1:") || out == nil || out.Kind != nodeapi.JWTHS256 || out.Subject != "paydoor" {
			t.Errorf("the link is shown as %q to %q with %+v", a.Link, a.HTTP.URL, out)
		}
		return
	}
	t.Errorf("near is not among %d accounts of %s", len(list), c.node)
}

// TestHeadersLeaveOthersAlone has requests that look a bit like packets in headers.
func TestHeadersLeaveOthersAlone(t *testing.T) {
	s := newServer(t)
	s.options += "\naccount kid {\n relation child\n headers {\n incoming simple " + strong + "\n }\n}"
	s.load()
	ildcp := ilpcore.ILDCPRequest(time.Now().Add(time.Minute))
	packet, err := ildcp.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		method, path string
		headers      []string
		want         int
	}{
		"a page":                            {http.MethodGet, "/status/x", []string{"ILP-Destination", "test.paydoor"}, http.StatusNotFound},
		"a form":                            {http.MethodPost, "/", nil, http.StatusMethodNotAllowed},
		"a packet of a stranger":            {http.MethodPost, "/", []string{"ILP-Destination", "test.paydoor", "Authorization", "Bearer x"}, http.StatusUnauthorized},
		"a packet without amount":           {http.MethodPost, "/", []string{"ILP-Destination", "test.paydoor"}, http.StatusBadRequest},
		"one of ilp-plugin-http, in a body": {http.MethodPost, "/ilp", []string{"ILP-Destination", "peer.config", "ILP-Peer-Name", "kid"}, http.StatusOK},
		"a packet in a body":                {http.MethodPost, "/ilp", nil, http.StatusOK},
	} {
		request, err := http.NewRequest(test.method, "http://"+s.node+test.path, bytes.NewReader(packet))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+strong)
		for i := 0; i < len(test.headers); i += 2 {
			request.Header.Set(test.headers[i], test.headers[i+1])
		}
		a := s.send(request)
		if a.StatusCode != test.want {
			t.Errorf("%s: %s %v %q", name, a.Status, a.Header, a.body)
		}
		if reply, err := ilpcore.DecodeReply([]byte(a.body)); test.want == http.StatusOK && (err != nil || !reply.Fulfilled) {
			t.Errorf("%s: %+v, %v", name, reply, err)
		}
	}
}
