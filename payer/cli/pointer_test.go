package cli

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestPointerOf(t *testing.T) {
	for _, test := range []struct {
		name, from string
		links      []string
		want       string
	}{
		{"a path", "https://shop.example/a/b?c", []string{`</.well-known/pay/x>; rel="payment"`}, "$shop.example/.well-known/pay/x"},
		{"a URL", "https://shop.example/", []string{`<https://pay.example/.well-known/pay/x>; rel=payment`}, "$pay.example/.well-known/pay/x"},
		{"another port", "https://shop.example:8443/", []string{`</x>; rel="payment"`}, "https://shop.example:8443/x"},
		{"plain", "http://localhost:2015/", []string{`</x>; rel="payment"`}, "http://localhost:2015/x"},
		{"among others", "https://shop.example/", []string{`</style.css>; rel="preload", </x>; title="a"; rel="payment"`}, "$shop.example/x"},
		{"on the next line", "https://shop.example/", []string{`</style.css>; rel="preload"`, `</x>;rel=PAYMENT`}, "$shop.example/x"},
		{"with a query", "https://shop.example/", []string{`</x?y>; rel="payment"`}, "https://shop.example/x?y"},
		{"with a user", "https://shop.example/", []string{`<https://u:p@shop.example/x>; rel="payment"`}, ""},
		{"a script", "https://shop.example/", []string{`<javascript:alert(1)>; rel="payment"`}, ""},
		{"another relation", "https://shop.example/", []string{`</x>; rel="next"`}, ""},
		{"cut", "https://shop.example/", []string{`</x`}, ""},
		{"no URL", "https://shop.example/", []string{`<%zz>; rel="payment"`}, ""},
		{"none", "https://shop.example/", nil, ""},
	} {
		from, err := url.Parse(test.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := pointerOf(test.links, from); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func FuzzPointerOf(f *testing.F) {
	f.Add(`</.well-known/pay/x>; rel="payment"`)
	f.Fuzz(func(t *testing.T, link string) {
		got := pointerOf([]string{link}, &url.URL{Scheme: "https", Host: "shop.example", Path: "/"})
		if got != "" && !strings.HasPrefix(got, "$") && !strings.HasPrefix(got, "http") || strings.ContainsAny(got, "\n\r\x1b") {
			t.Errorf("%q became %q", link, got)
		}
	})
}

// TestFetchTellsThePointer: who cannot pay here hears how to pay with another wallet, and afterwards the same command works.
func TestFetchTellsThePointer(t *testing.T) {
	s := newShop(t)
	s.links = []string{`</.well-known/pay/x>; rel="payment"`}
	hint := "; or pay from any wallet to " + s.URL + "/.well-known/pay/x, and run this again\n"
	term := newTerminal(t)
	withNode := newTerminal(t)
	withNode.vars[nodeVariable] = s.node.URL
	if got := withNode.types("fetch", s.URL+"/a"); got.status != StatusCap || strings.Contains(got.stderr, "any wallet") {
		t.Errorf("without --max: %+v", got)
	}
	if got := term.types("fetch", "--max", "10", s.URL+"/a"); got.status != StatusUnpaid || !strings.HasSuffix(got.stderr, hint) {
		t.Errorf("without a node: %+v", got)
	}
	if got := term.types("fetch", s.URL+"/free/gone"); got.status != StatusAnswer || strings.Contains(got.stderr, "wallet to") {
		t.Errorf("another status: %+v", got)
	}
	account := hash(s.heads[1].Get("Pay-Token")) // of the second command's request
	s.till.mu.Lock()
	s.till.balances[account] = 25
	s.till.mu.Unlock()
	if got := term.types("fetch", s.URL+"/a"); got.status != 0 || got.stdout != "worth 10\n" {
		t.Errorf("with a balance: %+v", got)
	}
	if got := term.types("fetch", s.URL+"/a"); got.status != 0 || s.till.balances[account] != 5 {
		t.Errorf("with the rest: %+v", got)
	}
	s.links = nil
	if got := term.types("fetch", s.URL+"/a"); got.status != StatusUnpaid || strings.Contains(got.stderr, "any wallet") {
		t.Errorf("without a link: %+v", got)
	}
}

// closer is a transport that counts how often its idle connections are closed.
type closer struct {
	sites
	closed int
}

func (c *closer) CloseIdleConnections() { c.closed++ }

// TestIdleConnectionsAreClosed after the last URL, whatever is between the client and the transport that has them.
func TestIdleConnectionsAreClosed(t *testing.T) {
	for _, flag := range []string{"-s", "-v"} {
		base, term := &closer{sites: sites{seen: map[string]http.Header{}}}, newTerminal(t)
		term.base = base
		if got := term.types("fetch", flag, "https://a.example/", "https://b.example/"); got.status != 0 || base.closed != 1 {
			t.Errorf("%s: %d times, %+v", flag, base.closed, got)
		}
	}
}
