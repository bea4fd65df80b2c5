package caddymodule

// This file runs a server whose handlers panic and fail with the token in their mouths, behind the adapter that the paydoor binary has.

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(new(blurt))
	httpcaddyfile.RegisterHandlerDirective("test_blurt", func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) { return new(blurt), nil })
	httpcaddyfile.RegisterDirectiveOrder("test_blurt", httpcaddyfile.Before, "header")
}

// blurt is a handler ahead of the paywall that says what it should not, in the way that the path names.
type blurt struct{}

func (*blurt) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_blurt", New: func() caddy.Module { return new(blurt) }}
}

func (*blurt) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	token := r.Header.Get("Pay-Token")
	switch r.URL.Path {
	case "/panic":
		panic(fmt.Sprintf("handling %v", r.Header))
	case "/panic/go":
		panic(fmt.Errorf("handling %#v", r.Header))
	case "/panic/token":
		panic("bad token " + token)
	case "/panic/late": // when the answer has begun
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		panic(r.Header)
	case "/error":
		return caddyhttp.Error(http.StatusTeapot, errors.New("no "+token+" here"))
	}
	return next.ServeHTTP(w, r)
}

func TestRedactPanics(t *testing.T) {
	for _, format := range []string{"json", "console", "filter {\n wrap console\n request delete\n}"} {
		t.Run(strings.Fields(format)[0], func(t *testing.T) {
			s := newServer(t)
			s.site = "log\ntest_blurt\n" + s.site
			file := filepath.Join(t.TempDir(), "log")
			config, _, err := RedactingCaddyfile().Adapt([]byte(strings.Replace(s.caddyfile(),
				"output discard", "output file "+file+"\n level DEBUG\n format "+format, 1)), map[string]any{"filename": "Caddyfile"})
			if err != nil {
				t.Fatal(err)
			}
			if err := caddy.Load(config, true); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/panic", "/panic/go", "/panic/token", "/panic/late", "/error", "/"} {
				blurtOut(t, s, path)
			}
			if err := caddy.Stop(); err != nil {
				t.Fatal(err)
			}
			log, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(log), "http: panic serving"); n != 4 {
				t.Errorf("%d panics are logged", n)
			}
			if strings.Contains(string(log), token) || !strings.Contains(string(log), digest(token)) {
				t.Errorf("the log is\n%s", log)
			}
		})
	}
}

// blurtOut makes a request whose answer may break off.
func blurtOut(t *testing.T, s *server, path string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+s.gateway+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Pay-Token", token)
	if answer, err := s.client.Do(r); err == nil {
		_, _ = io.Copy(io.Discard, answer.Body) // breaks off
		_ = answer.Body.Close()
	}
}
