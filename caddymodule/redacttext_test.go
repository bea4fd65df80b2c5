package caddymodule

// This file tries the search of finished lines on hostile ones, and measures what redacting costs.

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// FuzzScrub wants that a token behind each telling word is found in any surroundings, and that nothing else happens to plain text.
func FuzzScrub(f *testing.F) {
	f.Add([]byte(`{"msg":"`), []byte(`"}`))
	f.Add([]byte("interledger-psk2 a "), []byte("://u:p@h token="))
	f.Add([]byte("token=token secret:bearer "), []byte{0xff, '\\', '"'})
	f.Fuzz(func(t *testing.T, before, after []byte) {
		const end = "\"" // what follows a token is never one of its characters
		for _, word := range []string{"Pay-Token: ", `"pay_token":"`, "&token=", "map[Pay-Token:[", "Authorization: Bearer ", "interledger-stream test.a ", "shared_secret=", "/paydoor/accounts/"} {
			line := slices.Concat(before, []byte("\n"+word+canaryToken+end), after)
			if got := scrubbed(line); bytes.Contains(got, []byte(canaryToken)) && !bytes.Contains(slices.Concat(before, after), []byte(canaryToken)) {
				t.Errorf("%q keeps the token: %q", line, got)
			}
		}
		once := scrubbed(before)
		if len(before) > 0 && len(once) == 0 {
			t.Errorf("%q vanished", before)
		}
	})
}

// TestScrubOfHostileLines has clients write the telling words as often as fits: the work grows with the line, not with its square.
func TestScrubOfHostileLines(t *testing.T) {
	for _, word := range []string{"interledger-", "interledger-a ", "token=", "token ", "secret:", "authorization=bearer ", "bearer%20", "://", "://a:", "token[]string{", "paydoor/accounts/", "paydoor/accounts/aa"} {
		line := []byte(strings.Repeat(word, 1<<20/len(word)))
		started := time.Now()
		scrubbed(line)
		if took := time.Since(started); took > 20*time.Second {
			t.Errorf("a megabyte of %q takes %v", word, took)
		}
	}
}

// TestScrubKeepsAccounts wants the hash in an admin path, by which an operator finds a request again.
func TestScrubKeepsAccounts(t *testing.T) {
	line := `{"uri":"/paydoor/accounts/` + strings.Repeat("0aF9", 16) + `/adjustments"}`
	if got := string(scrubbed([]byte(line))); got != line {
		t.Errorf("%s became %s", line, got)
	}
}

// BenchmarkRedact compares the access log line of a paid request with and without.
func BenchmarkRedact(b *testing.B) {
	redact := loadEncoder(b, `{}`)
	request, answer := canaryRequest(), canaryAnswer()
	request.RequestURI = "/a/usual/path?with=query"
	for name, value := range map[string]string{
		"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		"Accept":     "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br, zstd",
		"Accept-Language": "en-GB,en;q=0.9,de;q=0.8", "Referer": "https://shop.example/some/page/before",
	} {
		request.Header.Set(name, value)
	}
	for _, encoder := range []struct {
		name string
		zapcore.Encoder
	}{{"plain", redact.Encoder}, {"redact", redact}} {
		b.Run(encoder.name, func(b *testing.B) {
			b.ReportAllocs()
			fields := []zapcore.Field{
				zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: request}), zap.Int("bytes_read", 0), zap.String("user_id", ""),
				zap.Duration("duration", 12345), zap.Int("size", 1000), zap.Int("status", 200),
				zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: answer}), zap.String("paywall_account", strings.Repeat("0f", 32)),
			}
			for b.Loop() {
				line, err := encoder.EncodeEntry(zapcore.Entry{LoggerName: "http.log.access", Message: "handled request"}, fields)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(line.Len()))
				line.Free()
			}
		})
	}
	b.Run("ahead", func(b *testing.B) { // what reverse_proxy does for each request
		log := zap.New(zapcore.NewCore(redact, zapcore.AddSync(new(bytes.Buffer)), zapcore.InfoLevel))
		b.ReportAllocs()
		for b.Loop() {
			log := log.With(zap.String("upstream", "localhost:3000"), zap.Duration("duration", 12345),
				zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: request}))
			if c := log.Check(zapcore.DebugLevel, "upstream roundtrip"); c != nil {
				b.Fatal("a debug entry is wanted")
			}
		}
	})
	b.Run("off", func(b *testing.B) {
		log := zap.New(zapcore.NewCore(redact, zapcore.AddSync(new(bytes.Buffer)), zapcore.InfoLevel))
		b.ReportAllocs()
		for b.Loop() {
			if c := log.Check(zapcore.DebugLevel, "upstream roundtrip"); c != nil {
				b.Fatal("a debug entry is wanted")
			}
		}
	})
}
