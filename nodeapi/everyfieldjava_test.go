package nodeapi

// This file is the rows of TestEveryFieldAndDefault that are about the bodies of the Java connector.

import (
	"net/http/httptest"
	"strings"
	"testing"
)

const in, out = "JavaAccount.customSettings.ilpOverHttp.incoming.", "JavaAccount.customSettings.ilpOverHttp.outgoing."

// with returns members of customSettings that go along.
func with(direction string, pairs ...string) map[string]string {
	direction = strings.TrimPrefix(direction, "JavaAccount.")
	along := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		along[direction+pairs[i]] = pairs[i+1]
	}
	if direction == strings.TrimPrefix(out, "JavaAccount.") {
		along[direction+"url"] = `"https://bob.example/ilp"`
	}
	return along
}

const (
	strongText = `"` + strong + `"`
	simple     = `"SIMPLE"`
	jwt        = `"JWT_HS_256"`
)

var javaRows = []fieldRow{
	{field: "JavaAccount.accountId", kinds: text, good: []string{`"new%d"`, `"new%d"`}, bad: []string{`""`, `"a b"`, `".."`, "[]", "null", `"` + strings.Repeat("x", 65) + `"`}},
	{field: "JavaAccount.accountRelationship", kinds: text, good: []string{`"PARENT"`, `"PARENT"`, `"PEER"`, `"PEER"`, `"CHILD"`, `"CHILD"`}, bad: []string{`"peer"`, `""`, "null", "1"}},
	{field: "JavaAccount.linkType", kinds: text, good: []string{`"ILP_OVER_HTTP"`, `"ILP_OVER_HTTP"`, `"LOOPBACK"`, `"LOOPBACK"`, `"PING"`, `"PING"`}, bad: []string{`"BTP"`, `""`, "null"}},
	{field: "JavaAccount.assetCode", kinds: text, good: []string{`"usd"`, `"usd"`}, bad: []string{`""`, `"U\nSD"`, "null", "{}"}},
	{field: "JavaAccount.assetScale", kinds: number, bad: []string{"null"}},
	{field: "JavaAccount.description", kinds: words, byDefault: `""`, good: []string{`"Bob"`, `"Bob"`, "null", `""`}},
	{field: "JavaAccount.maximumPacketAmount", kinds: numbers, byDefault: "null", good: []string{"7", `"7"`, "null", "null"}},
	{field: "JavaAccount.ilpAddressSegment", kinds: words, byDefault: `"new%d"`, varies: true, good: []string{`"s%d"`, `"s%d"`, "null", `"new%d"`}, bad: []string{`"a.b"`, "[]"}},
	{field: "JavaAccount.sendRoutes", kinds: flag, byDefault: "true", varies: true, good: []string{"false", "false", `"false"`, "false", "true", "true", "null", "true"}, bad: []string{`"x"`, "1", "[]"}},
	{field: "JavaAccount.receiveRoutes", kinds: flag, byDefault: "false", varies: true, good: []string{"true", "true", `"true"`, "true", "false", "false", "null", "false"}, bad: []string{`"x"`, "1", "[]"}},
	{field: "JavaAccount.connectionInitiator", kinds: flag, byDefault: "true", good: []string{"false", "false", `"true"`, "true", "null", "true"}, bad: []string{`"x"`, "1", "[]"}},
	{field: "JavaAccount.internal", kinds: flag, byDefault: "false", good: []string{"true", "true", `"false"`, "false", "null", "false"}, bad: []string{`"x"`, "1", "[]"}},
	{field: "JavaAccount.balanceSettings", kinds: optional, byDefault: `{"minBalance":null,"settleThreshold":null,"settleTo":"0"}`, varies: true, good: []string{`{"minBalance":5}`, `{"minBalance":"5","settleThreshold":null,"settleTo":"0"}`, "null", `{"minBalance":null,"settleThreshold":null,"settleTo":"0"}`}, bad: []string{"5", "[]"}},
	{field: "JavaAccount.balanceSettings.minBalance", kinds: numbers, byDefault: "null", good: []string{"-7", `"-7"`, "null", "null"}},
	{field: "JavaAccount.balanceSettings.settleThreshold", kinds: numbers, byDefault: "null", along: map[string]string{"balanceSettings.settleTo": "-9223372036854775808"}, good: []string{"7", `"7"`, "null", "null"}},
	{field: "JavaAccount.balanceSettings.settleTo", kinds: numbers, byDefault: `"0"`, good: []string{"-7", `"-7"`, "null", `"0"`}},
	{field: "JavaAccount.rateLimitSettings", kinds: optional, byDefault: `{"maxPacketsPerSecond":null}`, varies: true, good: []string{`{"maxPacketsPerSecond":5}`, `{"maxPacketsPerSecond":"5"}`, "null", `{"maxPacketsPerSecond":null}`}, bad: []string{"5", "[]"}},
	{field: "JavaAccount.rateLimitSettings.maxPacketsPerSecond", kinds: numbers, byDefault: "null", good: []string{"7", `"7"`, "null", "null"}},
	{field: "JavaAccount.settlementEngineDetails", kinds: optional, byDefault: "null", good: []string{"null", "null"}, bad: []string{"5", "[]"}},
	{field: "JavaAccount.settlementEngineDetails.baseUrl", kinds: text, along: map[string]string{"settlementEngineDetails.settlementEngineAccountId": `"e%d"`}, good: []string{`"https://engine.example"`, `"https://engine.example"`}, bad: []string{`"http://engine.example"`, `""`, "null", "[]"}},
	{field: "JavaAccount.settlementEngineDetails.settlementEngineAccountId", kinds: words, byDefault: "null", along: map[string]string{"settlementEngineDetails.baseUrl": `"https://engine.example"`}, good: []string{`"e%d"`, `"e%d"`, "null", "null"}, bad: []string{"[]", `"` + strings.Repeat("x", 257) + `"`}},
	{field: "JavaAccount.settlementEngineDetails.customSettings", kinds: optional, byDefault: "{}", varies: true, along: map[string]string{"settlementEngineDetails.baseUrl": `"https://engine.example"`}, good: []string{`{"a":{"b":1}}`, `{"a.b":"1"}`, "null", "{}"}, bad: []string{"5", "[]"}},
	{field: "JavaAccount.customSettings", kinds: optional, byDefault: "{}", varies: true, good: []string{`{"a":{"b":1}}`, `{"a.b":"1"}`, `{"a.b":1}`, `{"a.b":"1"}`, "null", "{}"}, bad: []string{"5", "[]", `{"a.b":1,"a":{"b":2}}`}},

	{field: in + "auth_type", kinds: words, without: "auth_type", along: with(in, "shared_secret", strongText, "token_subject", `"b"`), good: []string{simple, simple, jwt, jwt}, bad: []string{`"NONE"`, `"JWT_RS_256"`, "1", "null", `""`}},
	{field: in + "simple.auth_token", kinds: words, without: "simple.auth_token", along: with(in, "auth_type", simple), good: []string{strongText, `"enc:…"`}, bad: []string{`"short"`, `"***"`, `""`, "null", "[]", `"enc:JKS:x"`, `"` + strings.Repeat("a b ", 10) + `"`}, kept: incomingHTTP},
	{field: in + "jwt.token_subject", kinds: words, without: "jwt.token_subject", along: with(in, "auth_type", jwt, "jwt.shared_secret", strongText), good: []string{`"b"`, `"b"`}, bad: []string{`""`, "null", "[]"}},
	{field: in + "jwt.shared_secret", kinds: words, without: "jwt.shared_secret", along: with(in, "auth_type", jwt, "jwt.token_subject", `"b"`), good: []string{strongText, `"enc:…"`}, bad: []string{`"short"`, `"***"`, `""`, "null", "[]", `"enc:JKS:x"`}, kept: incomingHTTP},
	{field: in + "token_subject", kinds: words, without: "jwt.token_subject", along: with(in, "auth_type", jwt, "shared_secret", strongText), good: []string{`"b"`, `"b"`}, bad: []string{"[]"}},
	{field: in + "shared_secret", kinds: words, without: "jwt.shared_secret", along: with(in, "auth_type", jwt, "token_subject", `"b"`), good: []string{strongText, `"enc:…"`}, bad: []string{`"short"`, "[]", `"enc:JKS:x"`, `"***"`}, kept: incomingHTTP},
	{field: out + "auth_type", kinds: words, without: "auth_type", along: with(out, "shared_secret", strongText, "token_subject", `"b"`), good: []string{simple, simple, jwt, jwt}, bad: []string{`"NONE"`, `"JWT_RS_256"`, "1", "null", `""`}},
	{field: out + "simple.auth_token", kinds: words, without: "simple.auth_token", along: with(out, "auth_type", simple), good: []string{strongText, `"enc:…"`}, bad: []string{`"short"`, `"***"`, `""`, "null", "[]", `"enc:JKS:x"`}, kept: outgoingHTTP},
	{field: out + "jwt.token_subject", kinds: words, without: "jwt.token_subject", along: with(out, "auth_type", jwt, "jwt.shared_secret", strongText), good: []string{`"b"`, `"b"`}, bad: []string{`""`, "null", "[]"}},
	{field: out + "jwt.shared_secret", kinds: words, without: "jwt.shared_secret", along: with(out, "auth_type", jwt, "jwt.token_subject", `"b"`), good: []string{strongText, `"enc:…"`}, bad: []string{`"short"`, `"***"`, `""`, "null", "[]", `"enc:JKS:x"`}, kept: outgoingHTTP},
	{field: out + "jwt.token_expiry", kinds: words, byDefault: "null", along: with(out, "auth_type", jwt, "jwt.token_subject", `"b"`, "jwt.shared_secret", strongText), good: []string{`"PT2M"`, `"PT2M"`, "null", "null"}, bad: []string{`"5m"`, "[]"}},
	{field: out + "token_subject", kinds: words, without: "jwt.token_subject", along: with(out, "auth_type", jwt, "shared_secret", strongText), good: []string{`"b"`, `"b"`}, bad: []string{"[]"}},
	{field: out + "shared_secret", kinds: words, without: "jwt.shared_secret", along: with(out, "auth_type", jwt, "token_subject", `"b"`), good: []string{strongText, `"enc:…"`}, bad: []string{`"short"`, "[]", `"enc:JKS:x"`, `"***"`}, kept: outgoingHTTP},
	{field: out + "token_expiry", kinds: words, byDefault: "null", along: with(out, "auth_type", jwt, "token_subject", `"b"`, "shared_secret", strongText), good: []string{`"PT2M"`, `"PT2M"`, "null", "null"}, bad: []string{`"5m"`, "[]"}},
	{field: out + "url", kinds: words, without: "url", along: with(out, "auth_type", simple, "simple.auth_token", strongText), good: []string{`"https://a.example"`, `"https://a.example"`}, bad: []string{`"http://a.example"`, `"/ilp"`, `""`, "null", "[]"}},
	{field: "JavaAccount.customSettings.simulatedRejectErrorCode", kinds: words, byDefault: "null", along: map[string]string{"linkType": `"LOOPBACK"`}, good: []string{`"T02"`, `"T02"`, "null", "null"}, bad: []string{`"T2"`, "1"}, named: "customSettings.simulatedRejectErrorCode"},

	{field: "JavaRoute.routePrefix", kinds: words, byDefault: `"test.r%d"`, varies: true, good: []string{`"test.r%d"`, `"test.r%d"`, "null", `"test.r%d"`}},
	{field: "JavaRoute.nextHopAccountId", kinds: text, good: []string{`"alice"`, `"alice"`}, bad: []string{`""`, `"a b"`, "null", "[]"}},
}

func javaForms(dialect Dialect, answered func(*bed, *testing.T, int, *httptest.ResponseRecorder, string) string, last func(*bed, int) *Settings) []*form {
	base := map[string]string{"accountId": `"new%d"`, "accountRelationship": `"CHILD"`, "linkType": `"ILP_OVER_HTTP"`, "assetCode": `"USD"`, "assetScale": "6"}
	login := asAdmin
	if dialect == Rust10 { // a body decides by itself, so who asks says nothing more
		login = basic
	}
	wrong := []string{problemTypes + "/accounts/invalid-account-settings", problemTypes + "/accounts/invalid-account-id"}
	return []*form{
		{schema: "JavaAccount", base: base, ok: 201, wrong: wrong, texts: true, shown: answered, last: last, send: func(b *bed, t *testing.T, at int, before, body string) *httptest.ResponseRecorder {
			if before == "" {
				return b.ask(t, "POST", "/accounts", login, body)
			}
			b.ask(t, "POST", "/accounts", login, before)
			w := b.ask(t, "PUT", numbered("/accounts/new%d", at), login, body)
			if w.Code == 200 {
				w.Code = 201
			}
			return w
		}},
		{schema: "JavaRoute", base: map[string]string{"nextHopAccountId": `"bob"`}, ok: 201, wrong: wrong, shown: answered, send: func(b *bed, t *testing.T, at int, _, body string) *httptest.ResponseRecorder {
			return b.ask(t, "PUT", numbered("/routes/static/test.r%d", at), basic, body)
		}},
	}
}
