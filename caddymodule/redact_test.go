package caddymodule

// This file logs entries through the encoder redact, and looks for what must not be there, and for what must still be.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	canaryToken  = "Q2FuYXJ5LXRva2VuLTAxMjM0NTY3ODlhYmNkZWY"
	canarySecret = "U2VjcmV0LWNhbmFyeS0wMTIzNDU2Nzg5YWJjZGVm"
	canaryQuote  = "interledger-psk2 test.paydoor.abc_DEF-1 " + canarySecret + " 10"
	canaryBearer = "canary-link:QmVhcmVyLWNhbmFyeS4wMTIz"
	canaryTerms  = "UmVjZWlwdC1jYW5hcnktMDEyMzQ1Njc4OWFiY2RlZmc="
)

// canaries are what no line may have, in any form that a test writes.
var canaries = []string{canaryToken, canarySecret, "QmVhcmVyLWNhbmFyeS4wMTIz", "shh-canary", canaryTerms}

// redacting returns a logger that writes through redact around another encoder, given as JSON.
func redacting(tb testing.TB, wrapped string) (*zap.Logger, *bytes.Buffer) {
	tb.Helper()
	encoder := loadEncoder(tb, fmt.Sprintf(`{"wrap": %s}`, wrapped))
	lines := new(bytes.Buffer)
	return zap.New(zapcore.NewCore(encoder, zapcore.AddSync(lines), zapcore.DebugLevel)), lines
}

func loadEncoder(tb testing.TB, config string) *Redact {
	tb.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	tb.Cleanup(cancel)
	module, err := ctx.LoadModuleByID("caddy.logging.encoders.redact", json.RawMessage(config))
	if err != nil {
		tb.Fatal(err)
	}
	return module.(*Redact)
}

// encoders are those to wrap, by name.
var encoders = map[string]string{
	"json":     `{"format": "json"}`,
	"console":  `{"format": "console"}`,
	"filter":   `{"format": "filter", "fields": {"request>headers>User-Agent": {"filter": "delete"}, "request>headers": {"filter": "rename", "name": "h"}}}`,
	"hash":     `{"format": "filter", "fields": {"request>headers>Pay-Token": {"filter": "hash"}, "resp_headers>Pay": {"filter": "regexp", "regexp": "x", "value": "y"}}}`,
	"deleted":  `{"format": "filter", "fields": {"request": {"filter": "delete"}, "resp_headers": {"filter": "delete"}}}`,
	"append":   `{"format": "append", "fields": {"server": "one"}}`,
	"journald": `{"format": "journald", "wrap": {"format": "append", "fields": {"server": "one"}, "wrap": {"format": "console"}}}`,
	"redact":   `{"format": "redact"}`,
}

func canaryRequest() *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://shop.example/a?pay-token="+canaryToken, nil)
	if err != nil {
		panic(err)
	}
	r.RequestURI = r.URL.RequestURI()
	r.Header = http.Header{
		"Pay-Token": {canaryToken}, "User-Agent": {"tester"}, "Authorization": {"Bearer " + canaryBearer},
		"Proxy-Authorization": {"Basic " + canarySecret}, "Accept": {"text/plain"}, "Receipt-Secret": {canaryTerms},
	}
	return r
}

func canaryAnswer() http.Header {
	return http.Header{"Pay": {canaryQuote}, "Pay-Token": {canaryToken}, "Pay-Balance": {"90"}, "Vary": {"Pay-Token"}}
}

// The fulfillment of a packet in ILP headers is hidden, and what names the packet is not.
func TestRedactHidesFulfillments(t *testing.T) {
	for name, encoder := range encoders {
		log, lines := redacting(t, encoder)
		answer := caddyhttp.LoggableHTTPHeader{Header: http.Header{"Ilp-Fulfillment": {canarySecret}, "Ilp-Error-Code": {"F02"}}}
		log.Info("handled request", zap.Object("answer", answer))
		if strings.Contains(lines.String(), canarySecret) || !strings.Contains(lines.String(), "F02") {
			t.Errorf("%s: %s", name, lines)
		}
	}
}

// nested is an object of headers, deeper than Caddy has them.
type nested struct{ http.Header }

func (n nested) MarshalLogObject(to zapcore.ObjectEncoder) error {
	if err := to.AddObject("inner", caddyhttp.LoggableHTTPHeader{Header: n.Header, ShouldLogCredentials: true}); err != nil {
		return err
	}
	to.AddString("pay_token", canaryToken)
	to.AddByteString("pay_token", []byte(canaryToken))
	to.AddString("copied", "a copy of "+canaryToken)
	return errors.Join(to.AddReflected("reflected", n.Header), to.AddReflected("authorization", []string{canaryBearer}),
		to.AddObject("Pay", caddyhttp.LoggableHTTPHeader{Header: n.Header}), to.AddArray("HTTP_PAY_TOKEN", zapcore.ArrayMarshalerFunc(
			func(array zapcore.ArrayEncoder) error { array.AppendString(canaryToken); return nil })))
}

// entries are the shapes in which a token or secret may come, by name.
var entries = map[string]func(*zap.Logger){
	"access": func(log *zap.Logger) {
		log.Info("handled request", zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: canaryRequest()}),
			zap.Int("status", 200), zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: canaryAnswer()}))
	},
	"credentials": func(log *zap.Logger) {
		log.Info("handled request", zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: canaryRequest(), ShouldLogCredentials: true}))
	},
	"copies": func(log *zap.Logger) {
		log.Info("x "+canaryToken, zap.Any("custom", canaryToken), zap.String("quote", canarySecret), zap.String("who", "Bearer "+canaryBearer),
			zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: canaryRequest()}),
			zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: canaryAnswer()}))
	},
	"with": func(log *zap.Logger) {
		log = log.With(zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: canaryRequest()}), zap.String("pay_token", canaryToken),
			zap.ByteString("authorization", []byte(canaryBearer)), zap.Reflect("all", canaryAnswer()),
			zap.Array("Pay", caddyhttp.LoggableStringArray{canaryQuote}))
		log.Named("a").Error("failing with "+canaryToken, zap.String("copy", canaryToken))
		log.With(zap.Int("n", 1)).Error("failing with " + canaryToken)
	},
	"nested": func(log *zap.Logger) {
		log.Debug("upstream roundtrip", zap.Object("outer", nested{canaryAnswer()}), zap.Inline(nested{canaryRequest().Header}))
	},
	"reflected": func(log *zap.Logger) {
		log.Info("data", zap.Any("data", map[string]any{"headers": canaryAnswer(), "request": canaryRequest().Header}),
			zap.Reflect("Authorization", canaryBearer), zap.Any("values", url.Values{"pay_token": {canaryToken}}),
			zap.Stringer("Pay-Token", &url.URL{Path: canaryToken}), zap.NamedError("pay-token", errors.New(canaryToken)),
			zap.Binary("pay-token", []byte(canaryToken)))
	},
	"array": func(log *zap.Logger) {
		log.Info("data", zap.Objects("headers", []nested{{canaryAnswer()}, {canaryRequest().Header}}))
	},
	"panic": func(log *zap.Logger) {
		r := canaryRequest()
		log.Error(fmt.Sprintf("http: panic serving 127.0.0.1:9: %v\ngoroutine 1 [running]:", r.Header))
		log.Error(fmt.Sprintf("http: panic serving 127.0.0.1:9: %#v and %+v", canaryAnswer(), r.Header))
		log.Error(fmt.Sprintf("http: panic serving 127.0.0.1:9: %q", r.Header))
		log.Error("http: panic serving 127.0.0.1:9: bad token " + canaryToken)
		log.Error("x", zap.Error(fmt.Errorf("dialling btp+wss://ankita:shh-canary@connector.example: %w", errors.New("Pay-Token: "+canaryToken))))
	},
	"bodies": func(log *zap.Logger) {
		problem, err := json.Marshal(map[string]any{"pay_token": canaryToken, "pay": map[string]string{"secret": canarySecret}})
		if err != nil {
			panic(err)
		}
		form := url.Values{"pay": {canaryQuote}, "token": {canaryToken}, "amount": {"5"}}.Encode()
		log.Info("bodies", zap.String("json", string(problem)), zap.String("form", form), zap.Any("spaced", strings.ReplaceAll(form, "+", "%20")),
			zap.String("spsp", `{"destination_account":"test.x","shared_secret":"`+canarySecret+`="}`),
			zap.String("raw", "GET / HTTP/1.1\r\npay-token: "+canaryToken+"\r\nAuthorization: Basic c2hoOnNoaA==\r\n"))
	},
}

func TestRedactHidesSecrets(t *testing.T) {
	for encoder, config := range encoders {
		for entry, log := range entries {
			t.Run(encoder+"/"+entry, func(t *testing.T) {
				logger, lines := redacting(t, config)
				log(logger)
				if lines.Len() == 0 {
					t.Fatal("nothing was logged")
				}
				for _, canary := range canaries {
					if strings.Contains(lines.String(), canary) {
						t.Errorf("%s is in %s", canary, lines)
					}
				}
				for line := range strings.Lines(lines.String()) {
					if start := strings.IndexByte(line, '{'); start >= 0 && !json.Valid([]byte(line[start:])) && entry != "panic" {
						t.Errorf("no JSON any more: %s", line)
					}
				}
			})
		}
	}
}

// TestRedactKeepsTheRest wants everything else in its place, and tokens told apart.
func TestRedactKeepsTheRest(t *testing.T) {
	logger, lines := redacting(t, encoders["json"])
	entries["access"](logger)
	for _, want := range []string{
		`"Pay-Token":["` + digest(canaryToken) + `"]`, `"uri":"/a?pay-token=` + digest(canaryToken) + `"`,
		`"Pay":["interledger-psk2 test.paydoor.abc_DEF-1 REDACTED 10"]`, `"Authorization":["REDACTED"]`, `"User-Agent":["tester"]`,
		`"Accept":["text/plain"]`, `"status":200`, `"msg":"handled request"`, `"Vary":["Pay-Token"]`, `"Pay-Balance":["90"]`,
	} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("%s is not in %s", want, lines)
		}
	}
}

// TestRedactAltersNothingElse has entries without secrets, some of which are near ones.
func TestRedactAltersNothingElse(t *testing.T) {
	r := canaryRequest()
	r.Header = http.Header{"Access-Control-Request-Headers": {"Pay-Token, Authorization, X-Requested-With-Something-Long"}}
	r.RequestURI = "/tokens/abcdefghijklmnopqrstuvwxyz?next=http://host:80/x@y&secretary=abcdefghijklmnopqrstuvwxyz&token=short"
	header := func(name string, values ...string) zap.Field {
		return zap.Object(name, caddyhttp.LoggableHTTPHeader{Header: http.Header{name: values}})
	}
	plain := new(bytes.Buffer)
	logger, lines := redacting(t, encoders["json"])
	inner := loadEncoder(t, `{}`).Encoder
	for _, log := range []*zap.Logger{logger, zap.New(zapcore.NewCore(inner, zapcore.AddSync(plain), zapcore.DebugLevel))} {
		log.WithOptions(zap.WithClock(stopped{})).With(zap.Any("list", []string{"a"}), zap.Namespace("ns")).Info("the token is not valid: send 22 to 86 characters of unpadded base64url",
			zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: r}), header("Pay-Accept", "interledger-stream, interledger-psk2"),
			header("Vary", "Pay-Token", "Authorization"), header("Www-Authenticate", `Bearer realm="a", error="invalid_token"`),
			zap.Strings("order", []string{"token", "secret", "authorization"}), zap.String("secret", "{env.PAYDOOR_SECRET_OF_SOME_LENGTH}"),
			zap.Error(errors.New("the bearer authorization failed: receiver.secret: permission denied")))
	}
	if lines.String() != plain.String() {
		t.Errorf("got  %swant %s", lines, plain)
	}
}

// stopped is a clock that makes lines comparable.
type stopped struct{}

func (stopped) Now() time.Time                       { return time.Unix(1, 0) }
func (stopped) NewTicker(time.Duration) *time.Ticker { return nil }

// TestRedactIsNoDisguise has a client send pieces of the log line in place of its token.
func TestRedactIsNoDisguise(t *testing.T) {
	for _, piece := range []string{"/a/path/that/somebody/attacks", "handled request", `"msg":"handled request"`, "127.0.0.1", "http.log.access.log0.whatever"} {
		logger, lines := redacting(t, encoders["json"])
		r := canaryRequest()
		r.Header = http.Header{"Pay-Token": {piece}, "Authorization": {"Bearer " + piece}, "Pay": {"interledger-psk2 a " + piece}}
		r.RequestURI = "/a/path/that/somebody/attacks"
		logger.Named("http.log.access.log0.whatever").Info("handled request", zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: r}), zap.String("ip", "127.0.0.1"))
		for _, want := range []string{r.RequestURI, `"msg":"handled request"`, `"ip":"127.0.0.1"`, "http.log.access.log0.whatever"} {
			if !strings.Contains(lines.String(), want) {
				t.Errorf("%q took %q out of %s", piece, want, lines)
			}
		}
		if !json.Valid(lines.Bytes()) {
			t.Errorf("%q makes this of the line: %s", piece, lines)
		}
	}
}

// TestRedactByName has values that only their names tell of.
func TestRedactByName(t *testing.T) {
	for encoder, config := range encoders {
		if encoder == "deleted" {
			continue
		}
		logger, lines := redacting(t, config)
		r := canaryRequest()
		r.RequestURI = "/"
		r.Header = http.Header{
			"Pay-Token": {"tell\" tale", "telltale"}, "Pay": {"interledger-psk2 a telltale 1", "telltale"}, "Authorization": {"telltale"},
			"pay_token": {"telltale"}, "PROXY-AUTHORIZATION": {"Basic tell tale"},
		}
		logger.With(zap.String("pay_token", "telltale"), zap.ByteString("Pay", []byte("telltale")), zap.Reflect("authorization", "telltale")).
			Info("handled request", zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: r, ShouldLogCredentials: true}),
				zap.Reflect("headers", r.Header), zap.Object("HTTP_PAY", nested{r.Header}), zap.String("HTTP_AUTHORIZATION", "telltale"),
				zap.Strings("Pay-Token", []string{"telltale"}), zap.Array("pay", caddyhttp.LoggableStringArray{"telltale"}),
				zap.Error(nil), zap.NamedError("Authorization", errors.New("telltale")))
		if strings.Contains(lines.String(), "tale") || !strings.Contains(lines.String(), digest("telltale")) {
			t.Errorf("%s writes %s", encoder, lines)
		}
	}
}

// TestRedactInParallel has one encoder write for several goroutines, as each log's does.
func TestRedactInParallel(t *testing.T) {
	logger := zap.New(zapcore.NewCore(loadEncoder(t, `{}`), zapcore.AddSync(io.Discard), zapcore.DebugLevel)).With(zap.String("pay_token", canaryToken))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 50 {
				entries["copies"](logger)
				entries["nested"](logger)
			}
		})
	}
	group.Wait()
}

func TestRedactSeveralTokens(t *testing.T) {
	logger, lines := redacting(t, encoders["json"])
	r := canaryRequest()
	r.RequestURI = "/"
	r.Header = http.Header{"Pay-Token": {canaryToken + ", " + canarySecret, strings.Repeat("x", 8000)}}
	logger.Info(canarySecret, zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: r}), zap.String("copy", canaryToken))
	for _, canary := range []string{canaryToken, canarySecret, "xxx"} {
		if strings.Contains(lines.String(), canary) {
			t.Errorf("%s is in %s", canary, lines)
		}
	}
}

func TestRedactCaddyfile(t *testing.T) {
	for text, want := range map[string]string{
		"redact":                     `{}`,
		"redact {\n wrap console\n}": `{"wrap":{"format":"console"}}`,
		"redact {\n wrap json {\n time_format iso8601\n }\n}": `{"wrap":{"format":"json","time_format":"iso8601"}}`,
		"redact json":                         "format redact",
		"redact {\n wrap\n}":                  "wrap json",
		"redact {\n wrap json\n wrap json\n}": "keep one",
		"redact {\n level debug\n}":           "wrap",
		"redact {\n wrap nosuch\n}":           "nosuch",
	} {
		e := new(Redact)
		err := e.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text))
		got := fmt.Sprint(err)
		if err == nil {
			b, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if got = string(b); got != want {
				t.Errorf("%q becomes %s, not %s", text, got, want)
			}
		} else if want[0] == '{' || !strings.Contains(got, want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
