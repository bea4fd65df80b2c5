package caddymodule

// This file adds fields to loggers ahead of their entries, and wants them written as without redact.

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// A logger with fields of every kind writes what the wrapped encoder alone does, and its neighbours write theirs.
func TestRedactKeepsWhatIsAhead(t *testing.T) {
	r := canaryRequest()
	r.Header, r.RequestURI = http.Header{"Accept": {"text/plain"}}, "/a"
	write := func(log *zap.Logger) {
		log = log.WithOptions(zap.WithClock(stopped{})).Named("a").With(
			zap.Bool("bool", true), zap.Complex128("c128", 1i), zap.Complex64("c64", 2i), zap.Duration("duration", time.Second),
			zap.Float64("f64", 0.5), zap.Float32("f32", 0.25), zap.Int("int", 1), zap.Int64("i64", 2), zap.Int32("i32", 3), zap.Int16("i16", 4),
			zap.Int8("i8", 5), zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: r}), zap.Time("time", time.Unix(2, 0)),
			zap.Uint("uint", 1), zap.Uint64("u64", 2), zap.Uint32("u32", 3), zap.Uint16("u16", 4), zap.Uint8("u8", 5), zap.Uintptr("ptr", 6))
		one := log.With(zap.String("one", "1"), zap.Binary("binary", []byte{1}), zap.Namespace("ns"), zap.ByteString("bytes", []byte("b")))
		two := log.With(zap.String("two", "2"), zap.Error(errors.New("broken")), zap.Strings("list", []string{"a"}), zap.Reflect("any", []int{1}))
		for range 2 {
			one.Info("entry", zap.Int("n", 1))
			two.Info("entry", zap.Object("headers", caddyhttp.LoggableHTTPHeader{Header: r.Header}))
			log.Info("entry")
		}
		one.With(zap.String("three", "3")).Info("entry")
	}
	for _, config := range []string{encoders["json"], encoders["console"], encoders["filter"], encoders["append"]} {
		logger, lines := redacting(t, config)
		write(logger)
		plain := new(bytes.Buffer)
		write(zap.New(zapcore.NewCore(loadEncoder(t, `{"wrap": `+config+`}`).Encoder, zapcore.AddSync(plain), zapcore.DebugLevel)))
		if lines.String() != plain.String() {
			t.Errorf("%s: got\n%swant\n%s", config, lines, plain)
		}
	}
}

// Nothing of a request is encoded before an entry comes, and no secret of it is in that.
func TestRedactWaitsForAnEntry(t *testing.T) {
	for name, config := range encoders {
		logger, lines := redacting(t, config)
		r := canaryRequest()
		logger = logger.With(zap.String("Pay-Token", canaryToken), zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: r}))
		r.Header.Set("Accept", "seen/late")
		logger.Error("failing with " + canaryToken)
		if name != "deleted" && !strings.Contains(lines.String(), "seen/late") {
			t.Errorf("%s encodes a request at once: %s", name, lines)
		}
		for _, canary := range canaries {
			if strings.Contains(lines.String(), canary) {
				t.Errorf("%s: %s is in %s", name, canary, lines)
			}
		}
	}
}
