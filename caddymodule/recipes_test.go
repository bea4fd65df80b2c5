package caddymodule

// This file runs recipes of docs/caddyfile.md as they stand there.

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recipe returns the one recipe that has a line with text, with the test's backend.
func (s *server) recipe(text string) string {
	s.t.Helper()
	doc, err := os.ReadFile("../docs/caddyfile.md")
	if err != nil {
		s.t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(doc), "### Recipes\n\n```caddyfile\n")
	block, _, _ = strings.Cut(block, "```")
	for found := range strings.SplitSeq(block, "\n\n") {
		if strings.Contains(found, text) {
			return strings.Replace(found, "localhost:3000", s.backend.Listener.Addr().String(), 1)
		}
	}
	s.t.Fatalf("docs/caddyfile.md has no recipe with %q", text)
	return ""
}

func TestRecipeOfAPriceByTheQuery(t *testing.T) {
	s := newServer(t)
	s.site = s.recipe("@preview") + "\n" + strings.TrimPrefix(s.site, "paywall 10\n")
	s.load()
	s.pay("1000")
	for _, test := range []struct{ target, balance string }{
		{"/?preview=1", "999"}, {"/", "949"}, {"/?preview=0", "899"}, {"/?PREVIEW=1", "849"}, {"/a?preview=1", "848"},
		{"/?preview=0&preview=1", "798"}, {"/?preview=1&x", "748"}, {"/?Preview=1", "698"}, {"/?preview=1&%zz", "648"},
	} {
		s.want(s.do(http.MethodGet, test.target), http.StatusOK, test.balance)
	}
	if pay := s.do(http.MethodOptions, "/?preview=1").Header.Get("Pay"); !strings.HasSuffix(pay, " 1") {
		t.Errorf("the preview is quoted as %q", pay)
	}
}

// TestRecipeOfATokenInTheQuery pays as a page's WebSocket would, and looks where the token gets to.
func TestRecipeOfATokenInTheQuery(t *testing.T) {
	s := newServer(t)
	logs := filepath.Join(t.TempDir(), "log")
	s.global = "log all {\noutput file " + logs + "\nformat redact\n}"
	s.site = "log\n" + s.recipe("pay_token")
	s.handler = func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.RequestURI, r.Header) }
	s.load()
	s.pay("100")
	ask := func(target string) answer {
		request, err := http.NewRequest(http.MethodGet, "http://"+s.gateway+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.send(request)
	}
	a := ask("/live?room=7&pay_token=" + token)
	s.want(a, http.StatusOK, "90")
	if !strings.HasPrefix(a.body, "/live?room=7") || strings.Contains(a.body, token) {
		t.Errorf("the backend saw %s", a.body)
	}
	s.want(s.do(http.MethodGet, "/live"), http.StatusOK, "80")
	s.want(ask("/live?room=7"), http.StatusPaymentRequired, "0")
	eventually(t, "the lines of the log", func() bool { return len(linesWith(t, logs, `"uri":"/live`)) == 3 })
	if lines := linesWith(t, logs, token); len(lines) != 0 {
		t.Errorf("the log has the token: %v", lines)
	}
}
