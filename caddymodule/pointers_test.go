package caddymodule

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/payer"
)

// refusal402 is what a 402 says about payment by SPSP.
type refusal402 struct {
	Pointer  string `json:"payment_pointer"`
	Endpoint string `json:"spsp_endpoint"`
}

// refusedWith returns what a 402 to the request says.
func (s *server) refusedWith(path string, headers ...string) (said refusal402, link string) {
	s.t.Helper()
	a := s.do(http.MethodGet, path, headers...)
	if err := json.Unmarshal([]byte(a.body), &said); err != nil || a.StatusCode != http.StatusPaymentRequired {
		s.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	link = strings.TrimSuffix(strings.TrimPrefix(a.Header.Get("Link"), "<"), `>; rel="payment"`)
	if !strings.HasSuffix(said.Endpoint, link) || !strings.HasPrefix(link, "/.well-known/pay/") {
		s.t.Fatalf("the link is %q, and the endpoint %q", a.Header.Get("Link"), said.Endpoint)
	}
	return said, link
}

// paySPSP pays n to an SPSP endpoint as a wallet of the node's does, and wants receipts for all of it.
func (s *server) paySPSP(endpoint string, send amount.Amount) {
	s.t.Helper()
	terms, err := payer.NewReceiptTerms(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	to, err := payer.Resolver{AllowPrivate: true, Insecure: true}.ResolveWithReceipts(s.t.Context(), endpoint, terms)
	if err != nil || !to.Receipts {
		s.t.Fatalf("%v, %v", to, err)
	}
	got, err := payer.Stream{Link: s.local(), Random: rand.Reader, Now: time.Now}.Pay(s.t.Context(), payer.Payment{
		Address: to.Address, Secret: to.Secret, Send: send, Receipts: terms,
	})
	proven, bad := terms.Proven(got)
	if err != nil || bad != nil || got.Delivered != send || proven != send {
		s.t.Fatalf("%+v, %v; the receipt proves %s, %v", got, err, proven, bad)
	}
}

// TestAWalletPaysAPaywall raises a token's balance by SPSP alone, with nothing but the 402's words, before and after a reload, and adds it up.
func TestAWalletPaysAPaywall(t *testing.T) {
	s := newServer(t)
	s.load()
	said, link := s.refusedWith("/")
	if said.Pointer != "" || said.Endpoint != "http://"+s.gateway+link {
		t.Errorf("without TLS it says %+v", said)
	}
	if strings.Contains(link, token) {
		t.Error("the pointer shows the token")
	}
	before, _ := s.scrape()
	s.paySPSP(said.Endpoint, 25)
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "15")
	if _, again := s.refusedWith("/", "Pay-Token", "YW5vdGhlci10b2tlbi1oZXJl"); again == link {
		t.Error("two tokens have one pointer")
	}
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "5")
	s.load() // a reload
	if _, again := s.refusedWith("/"); again != link {
		t.Error("the pointer changed")
	}
	s.paySPSP("http://"+s.node+link, 7) // the node's own site knows it too
	s.want(s.do(http.MethodGet, "/"), http.StatusOK, "2")
	after, _ := s.scrape()
	grown := increases(before, after)
	if grown["paydoor_conversions_total"] != 0 {
		t.Errorf("payments by SPSP were counted as those of a 402's quote: %v", grown)
	}
	if quotes := s.do(http.MethodOptions, "/").Header.Get("Link"); !strings.Contains(quotes, link) {
		t.Errorf("a price query tells %q", quotes)
	}
}

// TestPointersWhereThePaywallDoesNotSeeThem: a matcher, a rewrite, and another site of the node.
func TestPointersWhereThePaywallDoesNotSeeThem(t *testing.T) {
	for name, site := range map[string]string{
		"a matcher":  "paywall /paid/* 10",
		"a rewrite":  "rewrite * /index.php\npaywall 10",
		"a realm":    "paywall {\nprice 10\nrealm shop\n}",
		"one is off": "paywall /other/* {\nprice 5\npointers off\n}\npaywall /paid/* 10",
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.site = strings.Replace(s.site, "paywall 10", site, 1)
			s.load()
			said, _ := s.refusedWith("/paid/x")
			s.paySPSP(said.Endpoint, 30)
			s.want(s.do(http.MethodGet, "/paid/x"), http.StatusOK, "20")
		})
	}
	t.Run("a handle", func(t *testing.T) {
		s := newServer(t)
		s.site = "handle /paid/* {\n" + s.site + "\n}\nilp_node /.well-known/pay/*"
		s.load()
		said, _ := s.refusedWith("/paid/x")
		s.paySPSP(said.Endpoint, 10)
		s.want(s.do(http.MethodGet, "/paid/x"), http.StatusOK, "0")
	})
	t.Run("elsewhere", func(t *testing.T) {
		s := newServer(t)
		s.site = strings.Replace(s.site, "paywall 10", "handle /paid/* {\npaywall {\nprice 10\npointers http://"+s.node+"\n}\n}", 1)
		s.load()
		a := s.do(http.MethodGet, "/paid/x")
		var said refusal402
		if err := json.Unmarshal([]byte(a.body), &said); err != nil || !strings.HasPrefix(said.Endpoint, "http://"+s.node+"/.well-known/pay/") {
			t.Fatalf("%v %s", err, a.body)
		}
		s.paySPSP(said.Endpoint, 10)
		s.want(s.do(http.MethodGet, "/paid/x"), http.StatusOK, "0")
	})
	t.Run("off", func(t *testing.T) {
		s := newServer(t)
		s.site = strings.Replace(s.site, "paywall 10", "paywall {\nprice 10\npointers off\n}", 1)
		s.load()
		if a := s.do(http.MethodGet, "/"); a.Header.Get("Link") != "" || strings.Contains(a.body, "well-known") {
			t.Errorf("%v %s", a.Header, a.body)
		}
	})
}

// TestPointersOfNobody: what no token has is 404 on every site, and other pointers are the backend's or the node's.
func TestPointersOfNobody(t *testing.T) {
	s := newServer(t)
	s.site = strings.Replace(s.site, "paywall 10", "paywall /paid/* 10", 1)
	s.load()
	unknown := "/.well-known/pay/" + strings.Repeat("A", 82)
	for _, site := range []string{s.gateway, s.node} {
		request, err := http.NewRequest(http.MethodGet, "http://"+site+unknown, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := s.send(request); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, `"id":"InvalidReceiverError"`) || a.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v %s", site, a.StatusCode, a.Header, a.body)
		}
	}
	if a := s.do(http.MethodGet, "/.well-known/pay/alice"); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "paid") {
		t.Errorf("the backend's own pointer: %d %s", a.StatusCode, a.body)
	}
}
