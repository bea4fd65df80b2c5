package caddymodule

// This file has neighbours that dial the node by BTP, over reloads, and neighbours with JSON Web Tokens.

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/payer"
)

// neighbour is a BTP client of the node.
type neighbour struct {
	*btp.Link
	ups, downs atomic.Int64
}

func (s *server) neighbour(path, user, token string, handler ilpcore.Handler) *neighbour {
	s.t.Helper()
	n := new(neighbour)
	var err error
	n.Link, err = btp.Dial(btp.Config{
		Account: "node", URL: btp.URL{Endpoint: "ws://" + s.node + path, User: user, Token: token}, Handler: handler,
		State: func(up bool) {
			if up {
				n.ups.Add(1)
			} else {
				n.downs.Add(1)
			}
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := n.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return n
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waiting in vain: %s", what)
		}
	}
}

// buys pays the site's price over link and wants the balance afterwards.
func (s *server) buys(link ilpcore.Handler, balance string) {
	s.t.Helper()
	ask, err := payer.ParsePay(s.do(http.MethodOptions, "/").Header.Get("Pay"))
	if err != nil {
		s.t.Fatal(err)
	}
	tokenBytes, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		s.t.Fatal(err)
	}
	sender := payer.PSK2{Link: link, Random: rand.Reader, Now: time.Now}
	if _, err := sender.Pay(s.t.Context(), ask, 10, tokenBytes); err != nil {
		s.t.Fatal(err)
	}
	s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, balance)
}

// TestListenOverReloads has a neighbour that dials through Caddy's wrapped writers. Reloads that do not concern its account leave the
// connection alone; a changed token and a removed account end it.
func TestListenOverReloads(t *testing.T) {
	s := newServer(t)
	s.options += "\naccount kid {\n relation child\n btp listen k+k " + strong + "\n}"
	load := func() {
		t.Helper()
		if err := s.tryLoad(strings.Replace(s.caddyfile(), "\tilp_node", "\tlog\n\tencode gzip\n\tilp_node", 1)); err != nil {
			t.Fatal(err)
		}
	}
	load()
	kid := s.neighbour("/accounts/kid/ilp/btp", "k+k", strong, nil)
	eventually(t, "the neighbour connects", kid.Up)
	reply := kid.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: ilpcore.ILDCPRequest(time.Now().Add(time.Minute))})
	if got, err := ilpcore.DecodeILDCP(reply.Data); err != nil || got.Address != "test.paydoor.kid" {
		t.Fatalf("ILDCP answers %v, %v: %s", got, err, reply.Message)
	}
	s.buys(kid, "10")

	stranger := s.neighbour("/ilp/btp", "kid", strong[1:]+"x", nil)
	eventually(t, "the stranger is refused", func() bool { return stranger.Err() != nil })
	for i, balance := range []string{"20", "30", "40"} {
		s.site = strings.Replace(s.site, "paywall ", "paywall 1", 1)
		load()
		s.buys(kid, balance)
		if n := len(openLinks()["kid"].incoming.handlers); n != 1 {
			t.Errorf("reload %d: %d configs take the packets", i, n)
		}
	}
	if kid.ups.Load() != 1 || kid.downs.Load() != 0 || stranger.Up() {
		t.Errorf("%d connects, %d disconnects; stranger %v", kid.ups.Load(), kid.downs.Load(), stranger.Up())
	}

	s.options = strings.Replace(s.options, strong, "x"+strong, 1)
	load()
	eventually(t, "the old token's connection ends", func() bool { return kid.downs.Load() > 0 })
	eventually(t, "the old token is refused", func() bool { return kid.Err() != nil && strings.Contains(kid.Err().Error(), "refused") })
	second := s.neighbour("/ilp/btp", "", "kid:x"+strong, nil)
	eventually(t, "the new token is taken", second.Up)
	s.options = strings.Split(s.options, "\naccount")[0]
	load()
	eventually(t, "the removed account's connection ends", func() bool { return second.downs.Load() > 0 })
	if len(openLinks()) != 0 {
		t.Error("links are left")
	}
}

// TestListenToAParent has a parent that dials us, gives us our address, and pays.
func TestListenToAParent(t *testing.T) {
	s := newServer(t)
	s.options = strings.Replace(s.options, "sandbox", "", 1) + "\naccount uplink {\n relation parent\n btp listen " + strong + "\n}"
	s.load()
	if early := s.do(http.MethodOptions, "/"); early.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without an address: %s", early.Status)
	}
	parent := s.neighbour("/ilp/btp", "", strong, ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
		data, err := ilpcore.ILDCP{Address: "test.up.us", Asset: ilpcore.Asset{Code: "USD", Scale: 9}}.Append(nil)
		if err != nil || string(in.Destination) != "peer.config" {
			return ilpcore.Reject(ilpcore.F02, "", "", nil)
		}
		return ilpcore.Fulfill([32]byte{}, data)
	}))
	eventually(t, "the node has an address", func() bool { return strings.Contains(s.do(http.MethodOptions, "/").Header.Get("Pay"), " test.up.us.") })
	s.buys(parent, "10")
	if said := s.readiness("/paydoor/ready"); !said.Ready {
		t.Errorf("with its parent: %+v", said)
	}
	if err := parent.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is not ready without its parent", func() bool { return !s.readiness("/paydoor/ready").Ready })
	if said := s.readiness("/paydoor/alive"); !said.Alive || said.Address != "test.up.us" || !strings.Contains(said.Problem, "no payment comes in: ") || !strings.Contains(said.Problem, "uplink") {
		t.Errorf("without its parent: %+v", said)
	}
	if a := s.do(http.MethodOptions, "/"); a.Header.Get("Pay") == "" {
		t.Errorf("the address is forgotten with the link: %s %v", a.Status, a.Header)
	}
}

// TestPayWithJWT has neighbours with JSON Web Tokens: with a subject, and with none but the account in the path.
func TestPayWithJWT(t *testing.T) {
	s := newServer(t)
	s.options += `
account kid {
	relation child
	http {
		incoming jwt_hs256 "kid of the shop" base64:` + base64.StdEncoding.EncodeToString([]byte(strong)) + `
	}
}
account cousin {
	relation child
	http {
		incoming jwt_hs256 c` + strong + `
	}
}`
	s.load()
	for _, c := range []struct {
		path, subject, secret, balance string
	}{
		{"/ilp", "kid of the shop", strong, "10"},
		{"/accounts/kid/ilp", "kid of the shop", strong, "20"},
		{"/accounts/cousin/ilp", "whoever", "c" + strong, "30"},
		{"/ilp", "cousin", "c" + strong, "40"},
	} {
		client, err := ilphttp.NewClient(ilphttp.ClientConfig{
			Endpoint: "http://" + s.node + c.path, JWT: &ilphttp.OutgoingJWT{Subject: c.subject, Secret: []byte(c.secret)},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.buys(client, c.balance)
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestListenTellsBrowsersAndTools has the words for those who open the address by hand.
func TestListenTellsBrowsersAndTools(t *testing.T) {
	s := newServer(t)
	s.load()
	for _, path := range []string{"/ilp/btp", "/accounts/nobody/ilp/btp"} {
		request, err := http.NewRequest(http.MethodGet, "http://"+s.node+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := s.send(request); a.StatusCode != http.StatusUpgradeRequired || !strings.Contains(a.body, "WebSocket") {
			t.Errorf("%s: %s %q", path, a.Status, a.body)
		}
	}
}
