package nodeapi

// This file is the rows of TestEveryFieldAndDefault that are about the bodies of interledger-rs, and how bodies are sent.

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	text, words      = "string", "null/string"
	number, numbers  = "integer/string", "integer/null/string"
	object, optional = "object", "null/object"
	flag             = "boolean/null/string"
)

// long is a token that cannot be guessed, and what is shown of it.
var long = []string{`"` + strong + `"`, `"SECRET"`}

// anything is what has no wrong values: whatever is sent there is kept.
var anything = []string{"JavaAccount.description", "JavaRoute.routePrefix" /* another prefix is another problem, below */}

var rustRows = []fieldRow{
	{field: "AccountDetails.username", kinds: text, good: []string{`"new%d"`, `"new%d"`, `"ｎew%d"`, `"new%d"`}, bad: []string{`""`, `"a b"`, `"ä"`, `1`, `[]`, `"` + strings.Repeat("x", 65) + `"`, "null"}},
	{field: "AccountDetails.asset_code", kinds: text, good: []string{`"abc"`, `"ABC"`}, bad: []string{`""`, `"U\nSD"`, "1", "null"}},
	{field: "AccountDetails.asset_scale", kinds: number, bad: []string{"null"}},
	{field: "AccountDetails.ilp_address", kinds: words, byDefault: `"test.node.new%d"`, varies: true, good: []string{`"test.n%d"`, `"test.n%d"`, "null", `"test.node.new%d"`}, bad: []string{`"test"`, `"a b"`, "1"}},
	{field: "AccountDetails.max_packet_amount", kinds: number, byDefault: "18446744073709551615", good: []string{"7", "7"}, bad: []string{"null"}},
	{field: "AccountDetails.min_balance", kinds: number, byDefault: "null", good: []string{"-7", "-7"}, bad: []string{"null"}},
	{field: "AccountDetails.routing_relation", kinds: words, byDefault: `"NonRoutingAccount"`, good: []string{`"Peer"`, `"Peer"`, `"pEER"`, `"Peer"`, `"Child"`, `"Child"`, "null", `"NonRoutingAccount"`}, bad: []string{`"Friend"`, `""`, "1"}},
	{field: "AccountDetails.round_trip_time", kinds: number, byDefault: "500", good: []string{"250", "250"}, bad: []string{"null"}},
	{field: "AccountDetails.amount_per_minute_limit", kinds: number, byDefault: "null", good: []string{"7", "7"}, bad: []string{"null"}},
	{field: "AccountDetails.packets_per_minute_limit", kinds: number, byDefault: "null", good: []string{"7", "7"}, bad: []string{"null"}},
	{field: "AccountDetails.settlement_engine_url", kinds: words, byDefault: "null", good: []string{`"http://engine.example"`, `"http://engine.example"`}, bad: []string{`"ftp://engine.example"`, `"engine"`, "1"}},
	{field: "AccountDetails.settle_threshold", kinds: number, byDefault: "null", good: []string{"7", "7"}, bad: []string{"null"}},
	{field: "AccountDetails.settle_to", kinds: number, byDefault: "null", good: []string{"-7", "-7"}, bad: []string{"null"}},
	link("AccountDetails", "http_url", "https://peer.example/ilp", "http://peer.example/ilp"),
	link("AccountDetails", "btp_url", "btp+wss://peer.example/btp", "btp+ws://peer.example/btp"),
	token("AccountDetails", "http_incoming_token", `"31-bytes-are-not-yet-enough-so."`, incomingHTTP),
	token("AccountDetails", "http_outgoing_token", "1", outgoingHTTP),
	token("AccountDetails", "btp_incoming_token", `"31-bytes-are-not-yet-enough-so."`, func(s *Settings) Sealed { return s.BTP.Incoming }),
	token("AccountDetails", "btp_outgoing_token", "1", func(s *Settings) Sealed { return s.BTP.Outgoing }),

	{field: "AccountSettings.settle_threshold", kinds: number, good: []string{"7", "7"}, bad: []string{"null"}},
	{field: "AccountSettings.settle_to", kinds: number, good: []string{"7", "7"}, bad: []string{"null"}},
	link("AccountSettings", "http_url", "https://peer.example/ilp", "http://peer.example/ilp"),
	link("AccountSettings", "btp_url", "btp+wss://peer.example/btp", "btp+ws://peer.example/btp"),
	token("AccountSettings", "http_incoming_token", `"31-bytes-are-not-yet-enough-so."`, incomingHTTP),
	token("AccountSettings", "http_outgoing_token", "1", outgoingHTTP),
	token("AccountSettings", "btp_incoming_token", `"31-bytes-are-not-yet-enough-so."`, func(s *Settings) Sealed { return s.BTP.Incoming }),
	token("AccountSettings", "btp_outgoing_token", "1", func(s *Settings) Sealed { return s.BTP.Outgoing }),

	{field: "Payment.receiver", kinds: text, good: []string{`"$pay.example/bob"`, `"$pay.example/bob"`}, bad: []string{`""`, "1", "null"}},
	{field: "Payment.source_amount", kinds: number, good: []string{"7", "7"}, bad: []string{"null"}},
	{field: "Payment.slippage", kinds: "number/string", byDefault: "0.015", good: []string{"0", "0", "1", "1", `"0.5"`, "0.5", "0.000001", "0.000001"}, bad: []string{"1.000001", "-0.1", "0.0000001", `"x"`, "null", "[]"}},
	{field: "Payment.receipt_nonce", kinds: words, along: map[string]string{"receipt_secret": `"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="`}, without: "receipt_nonce",
		good: []string{`"AAECAwQFBgcICQoLDA0ODw=="`, `"AAECAwQFBgcICQoLDA0ODw=="`, `"AAECAwQFBgcICQoLDA0ODw"`, `"AAECAwQFBgcICQoLDA0ODw=="`}, bad: []string{`""`, `"x"`, "1", "null"}},
	{field: "Payment.receipt_secret", kinds: words, along: map[string]string{"receipt_nonce": `"AAECAwQFBgcICQoLDA0ODw=="`}, without: "receipt_secret",
		good: []string{`"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="`, `"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="`}, bad: []string{`""`, `"x"`, "1", "null"}},

	{field: "Rates.*", kinds: "number/string", good: []string{"1.0", "1.0", `"2.517"`, "2.517", "1", "1.0"}, bad: []string{"0", "-1", `"x"`, "null", "[]"}},
	{field: "Routes.*", kinds: text, star: "test.other", good: []string{`"alice"`, `"alice"`}, bad: []string{`""`, "1", "null"}},
	{field: "Engines.*", kinds: text, good: []string{`"http://engine.example"`, `"http://engine.example"`}, bad: []string{`""`, `"ftp://engine.example"`, "1", "null"}},
	{field: "Quantity.amount", kinds: number, good: []string{`"7"`, `"7"`, "7", `"7"`, "0", `"0"`}, bad: []string{`"-1"`, `"1.5"`, `"07"`, `""`, "null", "[]"}},
	{field: "Quantity.scale", kinds: number, along: map[string]string{"amount": `"0"`}, bad: []string{"null"}},
	{field: "Decision.key", kinds: text, bad: []string{"1"}},
	{field: "Decision.outcome", kinds: text, bad: []string{`"perhaps"`, `""`, "1", "null"}},
	{field: "Decision.reason", kinds: text, bad: []string{`""`, `" "`, "1", "null", `"` + strings.Repeat("x", longestReason+1) + `"`}},
}

var fieldRows = append(rustRows, javaRows...)

func link(schema, name, url, plain string) fieldRow {
	row := fieldRow{field: schema + ".ilp_over_" + name, kinds: words, good: []string{`"` + url + `"`, `"` + url + `"`, `""`, "null"}, bad: []string{`"` + plain + `"`, `"peer"`, "1", `"` + url + `?x"`}}
	if schema == "AccountDetails" {
		row.byDefault = "null"
	}
	return row
}

func token(schema, name, bad string, kept func(*Settings) Sealed) fieldRow {
	row := fieldRow{field: schema + ".ilp_over_" + name, kinds: words, good: append(long, `""`, `"SECRET"`), bad: []string{bad, "1", `"enc:nonsense"`}, kept: kept}
	if schema == "AccountDetails" {
		row.byDefault, row.varies, row.bad = `"SECRET"`, true, append(row.bad, `"SECRET"`)
	}
	return row
}

func incomingHTTP(s *Settings) Sealed {
	if len(s.HTTP.Incoming) == 0 {
		return ""
	}
	return s.HTTP.Incoming[0].Secret
}

func outgoingHTTP(s *Settings) Sealed {
	if s.HTTP.Outgoing == nil {
		return ""
	}
	return s.HTTP.Outgoing.Secret
}

var rustWrong = []string{rustTypes + "json-data", "about:blank"}

// forms are how bodies are sent to a node of a dialect.
func forms(dialect Dialect) []*form {
	answered := func(_ *bed, t *testing.T, _ int, w *httptest.ResponseRecorder, name string) string {
		return shownIn(t, w, name)
	}
	named := func(format string) func(b *bed, at int) *Settings {
		return func(b *bed, at int) *Settings {
			for _, s := range b.directory.Accounts() {
				if string(s.ID) == numbered(format, at) {
					return &s
				}
			}
			return new(Settings)
		}
	}
	wrong := rustWrong
	if dialect == Java { // a body without a username is the Java connector's
		wrong = append([]string{problemTypes + "/accounts/invalid-account-id"}, rustWrong...)
	}
	details := map[string]string{"username": `"new%d"`, "asset_code": `"XYZ"`, "asset_scale": "6"}
	all := []*form{
		{schema: "AccountDetails", base: details, ok: 200, wrong: wrong, shown: answered, last: named("new%d"), send: func(b *bed, t *testing.T, at int, before, body string) *httptest.ResponseRecorder {
			if before == "" {
				return b.ask(t, "POST", "/accounts", asAdmin, body)
			}
			b.ask(t, "POST", "/accounts", asAdmin, before)
			return b.ask(t, "PUT", numbered("/accounts/new%d", at), asAdmin, body)
		}},
		{schema: "AccountSettings", ok: 200, wrong: rustWrong, stays: true, shown: answered, last: named("new%d"), send: func(b *bed, t *testing.T, at int, before, body string) *httptest.ResponseRecorder {
			path := numbered("/accounts/new%d/settings", at)
			b.ask(t, "POST", "/accounts", asAdmin, numbered(newInRust, at))
			if before != "" {
				b.ask(t, "PUT", path, asAdmin, before)
			}
			return b.ask(t, "PUT", path, asAdmin, body)
		}},
		{schema: "Rates", ok: 200, wrong: rustWrong, shown: answered, send: toPath("PUT", "/rates", asAdmin)},
		{schema: "Routes", ok: 200, wrong: rustWrong, shown: answered, send: toPath("PUT", "/routes/static", asAdmin)},
		{schema: "Engines", ok: 200, wrong: rustWrong, shown: answered, send: toPath("PUT", "/settlement/engines", asAdmin)},
		{schema: "Quantity", base: map[string]string{"amount": `"1"`, "scale": "6"}, ok: 201, wrong: rustWrong, shown: answered, send: func(b *bed, t *testing.T, at int, _, body string) *httptest.ResponseRecorder {
			return b.askWith(t, "POST", "/accounts/alice/settlements", "Bearer "+testEngine, body, map[string]string{"Idempotency-Key": fmt.Sprint(at)})
		}},
		{schema: "Decision", base: map[string]string{"key": `"k"`, "outcome": `"settled"`, "reason": `"x"`}, ok: 200, wrong: rustWrong, shown: answered, send: toPath("POST", "/accounts/alice/settlement/resolution", asAdmin)},
	}
	for _, login := range []string{asAlice, asAlice10} {
		all = append(all, &form{schema: "Payment", base: map[string]string{"receiver": `"$pay.example"`, "source_amount": "1"}, ok: 200, wrong: rustWrong, shown: asked, send: toPath("POST", "/accounts/alice/payments", login)})
	}
	return append(all, javaForms(dialect, answered, named("new%d"))...)
}

func toPath(method, path, authorization string) func(b *bed, t *testing.T, _ int, before, body string) *httptest.ResponseRecorder {
	return func(b *bed, t *testing.T, _ int, before, body string) *httptest.ResponseRecorder {
		if before != "" {
			b.ask(t, method, path, authorization, before)
		}
		return b.ask(t, method, path, authorization, body)
	}
}

// asked is what the sender of payments was asked for last.
func asked(b *bed, t *testing.T, _ int, _ *httptest.ResponseRecorder, name string) string {
	sender := b.sender.(*teller)
	o := sender.asked[len(sender.asked)-1]
	switch name {
	case "receiver":
		return string(mustJSON(o.Receiver))
	case "source_amount":
		return o.Amount.String()
	case "receipt_nonce":
		return string(mustJSON(o.Receipts.Nonce[:]))
	case "receipt_secret":
		return string(mustJSON(o.Receipts.Secret[:]))
	default:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%06d", o.Slippage/1_000_000, o.Slippage%1_000_000), "0"), ".")
	}
}

// askWith is ask with more headers.
func (b *bed) askWith(t *testing.T, method, path, authorization, body string, headers map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	if r.Header.Del("Authorization"); authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}
