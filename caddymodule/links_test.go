package caddymodule

// This file keeps links over reloads, and pays over one.

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/payer"
)

// neverEnding is a source of one byte.
type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

func chmod(path string, mode os.FileMode) error { return os.Chmod(path, mode) }

func write(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

// openLinks returns the links of the process by account.
func openLinks() map[ilpcore.AccountID]*pooledLink {
	links := map[ilpcore.AccountID]*pooledLink{}
	linkPool.Range(func(key, value any) bool {
		links[key.(linkSettings).Account] = value.(*pooledLink)
		return true
	})
	return links
}

func TestReloadKeepsUnchangedLinks(t *testing.T) {
	s := newServer(t)
	nowhere := freePort(t)
	s.options = strings.Replace(s.options, "sandbox", "", 1) + `
	allow_weak_secrets
	account uplink {
		relation parent
		btp btp+ws://:shh@` + nowhere + `
	}
	account bob {
		relation peer
		http http://` + nowhere + `/ilp {
			incoming simple in
			outgoing simple out
		}
	}`
	s.load()
	before := openLinks()
	if len(before) != 2 {
		t.Fatalf("%d links are open", len(before))
	}
	s.site = strings.Replace(s.site, "paywall 10", "paywall 20", 1)
	s.options = strings.Replace(s.options, "simple out", "simple changed", 1)
	s.load()
	after := openLinks()
	if after["uplink"] != before["uplink"] {
		t.Error("the unchanged link was opened again")
	}
	if after["bob"] == before["bob"] {
		t.Error("the changed link was kept")
	}
	if n := len(after["uplink"].incoming.handlers); n != 1 {
		t.Errorf("%d configs take the packets of the link", n)
	}
	s.options = strings.Split(s.options, "\n\tallow_weak")[0] + "\nsandbox"
	s.load()
	if left := openLinks(); len(left) != 0 {
		t.Errorf("removed links are still open: %v", left)
	}
}

func TestNewestConfigTakesThePackets(t *testing.T) {
	answering := func(name string) *handler {
		return &handler{Handler: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			return ilpcore.Reject(ilpcore.F99, name, "", nil)
		})}
	}
	var in incoming
	who := func() string { return in.HandlePrepare(t.Context(), ilpcore.Incoming{}).TriggeredBy }
	if reply := in.HandlePrepare(t.Context(), ilpcore.Incoming{}); reply.Code != ilpcore.T01 {
		t.Errorf("without a config the answer is %s", reply.Code)
	}
	older, newer := answering("older"), answering("newer")
	in.add(older)
	in.add(newer)
	if got := who(); got != "newer" {
		t.Errorf("the %s config got the packet", got)
	}
	in.remove(newer) // it failed to start
	if got := who(); got != "older" {
		t.Errorf("the %s config got the packet", got)
	}
}

// TestPayOverHTTP has a neighbour that learns its address and pays by ILP over HTTP, with both shapes of its bearer token.
func TestPayOverHTTP(t *testing.T) {
	s := newServer(t)
	s.options += "\naccount kid {\n relation child\n http {\n incoming simple " + strong + "\n }\n}"
	s.load()
	for _, link := range []ilphttp.ClientConfig{
		{Endpoint: "http://" + s.node + "/ilp", Token: strong},
		{Endpoint: "http://" + s.node + "/ilp", Token: "kid:" + strong},
		{Endpoint: "http://" + s.node + "/accounts/kid/ilp", Token: strong},
	} {
		client, err := ilphttp.NewClient(link)
		if err != nil {
			t.Fatal(err)
		}
		reply := client.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: ilpcore.ILDCPRequest(time.Now().Add(time.Minute))})
		got, err := ilpcore.DecodeILDCP(reply.Data)
		if err != nil || got.Address != "test.paydoor.kid" {
			t.Errorf("ILDCP at %s answers %v, %v: %s", link.Endpoint, got, err, reply.Message)
		}
		ask, err := payer.ParsePay(s.do(http.MethodOptions, "/").Header.Get("Pay"))
		if err != nil {
			t.Fatal(err)
		}
		tokenBytes, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		sender := payer.PSK2{Link: client, Random: rand.Reader, Now: time.Now}
		if _, err := sender.Pay(t.Context(), ask, 10, tokenBytes); err != nil {
			t.Error(err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "20")
}

var _ io.Reader = neverEnding(0)
