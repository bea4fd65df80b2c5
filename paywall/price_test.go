package paywall

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
)

func rules(t testing.TB, lines ...string) []Rule {
	t.Helper()
	var rules []Rule
	for _, line := range lines {
		words := strings.Fields(line)
		parse := ParsePrice
		if words[0] == "free" {
			parse = ParseFree
		}
		rule, err := parse(words[1:])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		rules = append(rules, rule)
	}
	return rules
}

func TestMostSpecificRuleWins(t *testing.T) {
	table, err := newPriceTable(rules(t,
		"price 10", "price POST 11", "price /paid/* 20", "price /paid/video/* 50", "price /paid/video/trailer 5", "price DELETE /paid/video/trailer 6",
		"free /health", "free /public/*", "price /public/video/* 30", "free GET /mixed", "price /mixed 7", "free /half", "price PUT /half 8",
		"price /Case 9", "free /paid/video/free/*",
	), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path string
		price        amount.Amount // 0: free
	}{
		{"GET", "/", 10}, {"GET", "/x", 10}, {"POST", "/x", 11}, {"post", "/x", 11}, {"BREW", "/x", 10}, {"HEAD", "/x", 10},
		{"GET", "/paid/x", 20}, {"POST", "/paid/x", 20}, {"GET", "/paid", 20}, {"GET", "/paid/", 20}, {"GET", "/paidx", 10},
		{"GET", "/paid/video/x", 50}, {"GET", "/paid/video", 50}, {"GET", "/paid/video/a/b", 50}, {"GET", "/PAID/Video/x", 50}, {"GET", "/paid;x/video/y", 50},
		{"GET", "/paid/video/trailer", 5}, {"GET", "/paid/video/trailer/", 5}, {"GET", "/paid/video/trailer.", 5}, {"DELETE", "/paid/video/trailer", 6},
		{"GET", "/paid/video/free/x", 0}, {"GET", "/paid/video/Free/x", 50}, {"GET", "/paid/video/free", 50},
		{"GET", "/health", 0}, {"POST", "/health", 0}, {"GET", "/health/", 10}, {"GET", "/HEALTH", 10}, {"GET", "/health;x", 10}, {"GET", "/healthz", 10},
		{"GET", "/public/x", 0}, {"GET", "/public/", 0}, {"GET", "/public", 10}, {"GET", "/Public/x", 10}, {"GET", "/public/video/x", 30}, {"GET", "/public/VIDEO/x", 30},
		{"GET", "/mixed", 0}, {"HEAD", "/mixed", 0}, {"get", "/mixed", 7}, {"POST", "/mixed", 7}, {"GET", "/half", 0}, {"PUT", "/half", 8},
		{"GET", "/case", 9}, {"GET", "/CASE", 9},
	} {
		rule := table.find(test.method, test.path)
		if rule.Price != test.price || rule.Free != (test.price == 0) {
			t.Errorf("%s %s: %+v, want %d", test.method, test.path, rule, test.price)
		}
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		"price":                      "an amount is missing",
		"price 0":                    "write free <path>",
		"price /x 0":                 "write free <path>",
		"price -1":                   "not a decimal integer",
		"price 1.5":                  "not a decimal integer",
		"price 1e3":                  "not a decimal integer",
		"price 010":                  "not a decimal integer",
		"price 18446744073709551616": "does not fit",
		"price post /x 1":            "not a decimal integer",
		"price OPTIONS /x 1":         "asks for prices",
		"price /x* 1":                "stands only at the end",
		"price /*/x 1":               "stands only at the end",
		"price /a/../b 1":            "dot segment",
		"price /a?full=1 50":         "with a matcher for a cheap one",
		"price /a//b 1":              "empty segment",
		"price 1 per_byte max":       "not understood",
		"price 1 per_byte max 0":     "largest body",
		"price 1 per_byte max -1":    "largest body",
		"price 1 max 5":              "not understood",
		"price 1 2":                  "not understood",
		"price 9999999999 per_byte max 9999999999": "does not fit 64 bits",
		"free":            "write free",
		"free POST":       "write free",
		"free /x 1":       "write free",
		"free /x/..;/y":   "dot segment",
		"free /a*":        "stands only at the end",
		"free OPTIONS /x": "has none itself",
		"free /a?b=1":     "with a matcher for a cheap one",
	} {
		words := strings.Fields(line)
		parse := ParsePrice
		if words[0] == "free" {
			parse = ParseFree
		}
		if rule, err := parse(words[1:]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v; want %q", line, rule, err, want)
		}
	}
	for name, lines := range map[string][]string{
		"no rule covers every path": {"price /x 1"},
		"keep one":                  {"price 1", "price /A 1", "price /a/ 2"},
		"two rules":                 {"price 1", "free /*"},
		`all methods of "/*"`:       {"price 1", "price 2"},
	} {
		if _, err := newPriceTable(rules(t, lines...), 0); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v, want %q", lines, err, name)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"ledger and a quoter":               func(c *Config) { c.Ledger = nil },
		"printable ASCII":                   func(c *Config) { c.Realm = "a b" },
		"unknown payment method":            func(c *Config) { c.Prefer = "interledger-psk" },
		"names no origin":                   func(c *Config) { c.CORS = &CORS{} },
		"scheme and host only":              func(c *Config) { c.CORS = &CORS{Origins: []string{"https://a.example/"}} },
		"write each origin":                 func(c *Config) { c.CORS = &CORS{Origins: []string{"https://*.example"}} },
		"write https://a.example":           func(c *Config) { c.CORS = &CORS{Origins: []string{"https://A.example"}} },
		"port out: write https://b.example": func(c *Config) { c.CORS = &CORS{Origins: []string{"https://b.example:443"}} },
		"covers every path":                 func(c *Config) { c.Prices = nil },
	} {
		b := newBench(t)
		change(&b.config)
		if _, err := New(b.config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestPerByte(t *testing.T) {
	lines := []string{"price 10", "price POST /upload 2 per_byte", "price POST /capped 2 per_byte max 100"}
	for _, test := range []struct {
		name, path string
		length     int64
		body       string
		status     int
		charged    amount.Amount
	}{
		{"length", "/upload", 5, "12345", 200, 10},
		{"empty counts as one", "/upload", 0, "", 200, 2},
		{"chunked", "/upload", -1, "12345", 411, 0},
		{"overflow", "/upload", 1<<63 - 1, "", 402, 0},
		{"capped length", "/capped", 5, "12345", 200, 10},
		{"capped too long", "/capped", 101, "", 413, 0},
		{"capped chunked", "/capped", -1, "12345", 200, 10},
		{"capped chunked empty", "/capped", -1, "", 200, 2},
		{"capped chunked at the limit", "/capped", -1, strings.Repeat("x", 100), 200, 200},
		{"capped chunked over it", "/capped", -1, strings.Repeat("x", 101), 413, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, rules(t, lines...)...)
			b.ledger.credit(t, testToken, 1000)
			r := httptest.NewRequest("POST", test.path, strings.NewReader(test.body))
			r.ContentLength = test.length
			r.Header.Set("Pay-Token", testToken)
			w := b.do(func(w http.ResponseWriter, r *http.Request) error {
				got, err := io.ReadAll(r.Body)
				if err == nil && string(got) != test.body {
					t.Errorf("the backend read %q", got)
				}
				return err
			}, r)
			left, reserved := b.ledger.state(t, testToken)
			if w.Code != test.status || left != 1000-test.charged || reserved != 0 {
				t.Errorf("%d, balance %d, reserved %d: %s", w.Code, left, reserved, w.Body)
			}
			if b.ledger.settled != test.charged {
				t.Errorf("charged %d, want %d", b.ledger.settled, test.charged)
			}
		})
	}
}

// TestRequestsWithoutLength: HTTP/3 does not say of a GET that it has no body, and a WebSocket over HTTP/2 or 3 has a tunnel in its place. Both
// cost what they cost over HTTP/1.1: one byte.
func TestRequestsWithoutLength(t *testing.T) {
	for _, test := range []struct {
		name, method, proto string
		major               int
		sends               int // bytes
		status              int
		charged             amount.Amount
	}{
		{"GET", "GET", "HTTP/3.0", 3, 0, 200, 2},
		{"HEAD", "HEAD", "HTTP/3.0", 3, 0, 200, 2},
		{"DELETE", "DELETE", "HTTP/3.0", 3, 0, 200, 2},
		{"GET with a body of one byte", "GET", "HTTP/3.0", 3, 1, 200, 2},
		{"GET with a body", "GET", "HTTP/3.0", 3, 50, 411, 0},
		{"POST", "POST", "HTTP/3.0", 3, 0, 411, 0},
		{"GET that says it has a body", "GET", "HTTP/2.0", 2, 50, 411, 0},
		{"WebSocket over HTTP/3", "CONNECT", "websocket", 3, 50, 200, 2},
		{"another tunnel", "CONNECT", "connect-ip", 3, 50, 411, 0},
	} {
		for _, line := range []string{"price 2 per_byte", "price 2 per_byte max 60"} {
			b := newBench(t, rules(t, line)...)
			b.ledger.credit(t, testToken, 1000)
			r := httptest.NewRequest(test.method, "/", strings.NewReader(strings.Repeat("x", test.sends)))
			r.ContentLength, r.ProtoMajor, r.Proto = -1, test.major, test.proto
			r.Header.Set("Pay-Token", testToken)
			var reserved amount.Amount
			w := b.do(func(w http.ResponseWriter, r *http.Request) error {
				_, reserved = b.ledger.state(t, testToken)
				got, err := io.ReadAll(r.Body)
				if err == nil && len(got) != test.sends {
					t.Errorf("%s: the backend read %d bytes", test.name, len(got))
				}
				return err
			}, r)
			status, charged := test.status, test.charged
			if (test.name != "GET with a body" && test.status == 411) && strings.HasSuffix(line, "max 60") { // as any body of unknown length
				status, charged = 200, 2*amount.Amount(max(test.sends, 1))
			} else if reserved > 2 {
				t.Errorf("%s: %d reserved", test.name, reserved)
			}
			if left, _ := b.ledger.state(t, testToken); w.Code != status || left != 1000-charged {
				t.Errorf("%s, %s: %d, balance %d: %s", test.name, line, w.Code, left, w.Body)
			}
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add("POST /upload 2 per_byte max 100", "GET", "/upload")
	f.Add("/paid/* 20", "POST", "/PAID/x")
	f.Add("/health", "GET", "/health/")
	f.Fuzz(func(t *testing.T, line, method, target string) {
		set := []Rule{{Price: 10}}
		if rule, err := ParsePrice(strings.Fields(line)); err == nil {
			set = append(set, rule)
		}
		free, freeErr := ParseFree(strings.Fields(line))
		if freeErr == nil {
			set = append(set, free)
		}
		table, err := newPriceTable(set, 0)
		if err != nil || ambiguity(target) != "" {
			return
		}
		rule := table.find(method, target)
		if rule.Free {
			exact := freeErr == nil && (free.Path == target || strings.HasSuffix(free.Path, "/*") && strings.HasPrefix(target, free.Path[:len(free.Path)-1]))
			if !exact || free.Method != "" && free.Method != method && !(free.Method == "GET" && method == "HEAD") {
				t.Fatalf("%s %q is free by %q", method, target, line)
			}
		} else if rule.Price == 0 {
			t.Fatalf("%s %q costs nothing by %q", method, target, line)
		}
		if c, prob := rule.costOf(&http.Request{ContentLength: 7}); !rule.Free && prob == nil && c.price == 0 {
			t.Fatalf("%s %q costs nothing by %q", method, target, line)
		}
	})
}
