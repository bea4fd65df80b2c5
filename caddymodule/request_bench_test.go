package caddymodule

// This file measures what a paid request costs inside the server beside the same request without a paywall: no sockets, and a backend
// that answers from memory.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/paywall"
)

func init() { caddy.RegisterModule(benchTransport{}) }

// benchTransport is a reverse_proxy transport that answers by itself.
type benchTransport struct{}

func (benchTransport) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.reverse_proxy.transport.bench", New: func() caddy.Module { return new(benchTransport) }}
}

func (benchTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: 5,
		Header: http.Header{"Content-Type": {"text/plain"}, "Content-Length": {"5"}, "Date": {"Sat, 21 Nov 2026 04:00:00 GMT"}},
		Body:   io.NopCloser(strings.NewReader("hello")),
	}, nil
}

const benchConfig = `{
	"admin": {"disabled": true, "config": {"persist": false}},
	"logging": {"logs": {"default": {"writer": {"output": "discard"}, "encoder": {"format": "redact"}}}},
	"apps": {
		"ilp": {"data_dir": %q, "sandbox": true, "durability": "process"},
		"http": {"servers": {
			"bare": {"listen": ["127.0.0.1:0"], "automatic_https": {"disable": true}, "routes": [{"handle": [%s]}]},
			"paid": {"listen": ["127.0.0.2:0"], "automatic_https": {"disable": true}, "routes": [{"handle": [{"handler": "paywall", "prices": [{"amount": 1}]}, %[2]s]}]}
		}}
	}
}`

const benchProxy = `{"handler": "reverse_proxy", "upstreams": [{"dial": "127.0.0.1:1"}], "transport": {"protocol": "bench"}}`

func BenchmarkRequest(b *testing.B) {
	if err := caddy.Load(fmt.Appendf(nil, benchConfig, b.TempDir()+"/data", benchProxy), true); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = caddy.Stop() }()
	app, err := caddy.ActiveContext().App("http")
	if err != nil {
		b.Fatal(err)
	}
	node, err := caddy.ActiveContext().App("ilp")
	if err != nil {
		b.Fatal(err)
	}
	account, err := paywall.AccountOf(token, "")
	if err != nil {
		b.Fatal(err)
	}
	held, end, err := node.(*App).lease()
	if err != nil {
		b.Fatal(err)
	}
	_, err = held.ledger.Adjust(context.Background(), balances.Adjustment{Account: account, Amount: 1 << 60, Note: "benchmark"})
	end.end()
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"bare", "paid"} {
		server := app.(*caddyhttp.App).Servers[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "http://shop.example/some/path", nil)
				r.Header["User-Agent"] = []string{"bench"}
				r.Header["Pay-Token"] = []string{token}
				w := &answerTo{header: http.Header{}}
				server.ServeHTTP(w, r)
				if w.status != 200 {
					b.Fatal(w.status, w.header)
				}
			}
		})
	}
}

type answerTo struct {
	header http.Header
	status int
}

func (a *answerTo) Header() http.Header         { return a.header }
func (a *answerTo) WriteHeader(status int)      { a.status = status }
func (a *answerTo) Write(p []byte) (int, error) { return len(p), nil }
