package cli

// This file shows what each command sends.

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequests(t *testing.T) {
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	asAdmin, asAlice := "Bearer "+adminSecret, "Bearer "+accountSecret
	const plain = "text/plain; charset=utf-8"
	tests := []struct {
		name  string
		stdin string
		args  []string
		want  asked
	}{
		{"create with every setting", "from-stdin\n", []string{
			"accounts", "create", "bob", "--asset-code", "USD", "--asset-scale", "9", "--ilp-address", "example.bob", "--routing-relation", "peer",
			"--max-packet-amount", "18446744073709551615", "--min-balance", "-1000", "--ilp-over-http-url", "https://b.example/ilp",
			"--ilp-over-http-incoming-token", "-", "--ilp-over-http-outgoing-token", "env:OUT", "--ilp-over-btp-url", "btp+wss://b.example/",
			"--ilp-over-btp-incoming-token-file", secretFile, "--ilp-over-btp-outgoing-token", "as-it-is", "--settlement-engine-url", "http://localhost:3000",
			"--settle-threshold", "100", "--settle-to", "-5", "--round-trip-time", "250", "--amount-per-minute-limit", "7", "--packets-per-minute-limit", "8",
		}, asked{"POST", "/accounts", asAdmin, "application/json", "", "", `{"amount_per_minute_limit":"7","asset_code":"USD","asset_scale":"9","ilp_address":"example.bob",` +
			`"ilp_over_btp_incoming_token":"from-a-file","ilp_over_btp_outgoing_token":"as-it-is","ilp_over_btp_url":"btp+wss://b.example/",` +
			`"ilp_over_http_incoming_token":"from-stdin","ilp_over_http_outgoing_token":"from-env","ilp_over_http_url":"https://b.example/ilp",` +
			`"max_packet_amount":"18446744073709551615","min_balance":"-1000","packets_per_minute_limit":"8","round_trip_time":"250","routing_relation":"Peer",` +
			`"settle_threshold":"100","settle_to":"-5","settlement_engine_url":"http://localhost:3000","username":"bob"}`}},
		{"update keeps the asset", "", []string{"accounts", "update", "bob", "--min-balance", "0"},
			asked{"PUT", "/accounts/bob", asAdmin, mergePatch, "", "", `{"asset_code":"USD","asset_scale":"9","min_balance":"0","username":"bob"}`}},
		{"update takes away", "", []string{"accounts", "update", "bob", "--unset", "min-balance", "--unset", "--ilp-over-http-url", "--unset", "ilp-over-http-outgoing-token", "--settle-to", "5"},
			asked{"PUT", "/accounts/bob", asAdmin, mergePatch, "", "", `{"asset_code":"USD","asset_scale":"9","ilp_over_http_outgoing_token":null,"ilp_over_http_url":null,"min_balance":null,"settle_to":"5","username":"bob"}`}},
		{"update of the asset", "", []string{"accounts", "update", "bob", "--asset-code", "EUR", "--asset-scale", "2"},
			asked{"PUT", "/accounts/bob", asAdmin, mergePatch, "", "", `{"asset_code":"EUR","asset_scale":"2","username":"bob"}`}},
		{"update-settings", "", []string{"accounts", "update-settings", "bob", "--settle-to", "5"},
			asked{"PUT", "/accounts/bob/settings", asAdmin, "application/json", "", "", `{"settle_to":"5"}`}},
		{"delete", "", []string{"accounts", "delete", "bob"}, asked{"DELETE", "/accounts/bob", asAdmin, "", "", "", ""}},
		{"a name is one segment", "", []string{"accounts", "delete", "a/../b"}, asked{"DELETE", "/accounts/a%2F..%2Fb", asAdmin, "", "", "", ""}},
		{"balance", "", []string{"accounts", "balance", "bob"}, asked{"GET", "/accounts/bob/balance", asAdmin, "", exactBalance + ", application/json;q=0.5", "", ""}},
		{"routes set", "", []string{"routes", "set", "test.bob", "--account", "bob"}, asked{"PUT", "/routes/static/test.bob", asAdmin, plain, "", "", "bob"}},
		{"routes set as ilp-cli", "", []string{"routes", "set", "test.bob", "--destination", "bob"}, asked{"PUT", "/routes/static/test.bob", asAdmin, plain, "", "", "bob"}},
		{"routes set-all", "", []string{"routes", "set-all", "--pair", "test.a", "alice", "--pair", "*=up"},
			asked{"PUT", "/routes/static", asAdmin, "application/json", "", "", `{"":"up","test.a":"alice"}`}},
		{"routes delete", "", []string{"routes", "delete", "test.bob"}, asked{"DELETE", "/routes/static/test.bob", asAdmin, "", "", "", ""}},
		{"rates set-all", "", []string{"rates", "set-all", "--pair", "ABC", "1.0", "--pair", "XYZ", "2.517000000000000000001"},
			asked{"PUT", "/rates", asAdmin, "application/json", "", "", `{"ABC":"1.0","XYZ":"2.517000000000000000001"}`}},
		{"rates set-all --none", "", []string{"rates", "set-all", "--none"}, asked{"PUT", "/rates", asAdmin, "application/json", "", "", `{}`}},
		{"settlement-engines", "", []string{"settlement-engines", "set-all", "--pair", "ABC", "http://localhost:3001"},
			asked{"PUT", "/settlement/engines", asAdmin, "application/json", "", "", `{"ABC":"http://localhost:3001"}`}},
		{"settlement resolve", "", []string{"settlement", "resolve", "bob", "--key", "k1", "--as", "refunded", "--reason", "the engine is gone"},
			asked{"POST", "/accounts/bob/settlement/resolution", asAdmin, "application/json", "", "", `{"key":"k1","outcome":"refunded","reason":"the engine is gone"}`}},
		{"pay", "", []string{"pay", "alice", "--to", "$p.example", "--amount", "18446744073709551615", "--slippage", "0.02", "--idempotency-key", "k-1"},
			asked{"POST", "/accounts/alice/payments", asAlice, "application/json", "", "k-1", `{"receiver":"$p.example","slippage":"0.02","source_amount":"18446744073709551615"}`}},
		{"pay for a receipt", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", []string{"pay", "alice", "--to", "$p.example", "--amount", "1", "--idempotency-key", "k-1", "--receipt-nonce", "AAECAwQFBgcICQoLDA0ODw==", "--receipt-secret", "-"},
			asked{"POST", "/accounts/alice/payments", asAlice, "application/json", "", "k-1", `{"receipt_nonce":"AAECAwQFBgcICQoLDA0ODw==","receipt_secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","receiver":"$p.example","source_amount":"1"}`}},
		{"import-key", key + "\n", []string{"import-key", "JKS"}, asked{"PUT", "/encryption/keys/JKS", asAdmin, plain, "", "", key}},
		{"import-key in base64", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", []string{"import-key", "JKS", "--key-file", "-"},
			asked{"PUT", "/encryption/keys/JKS", asAdmin, plain, "", "", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}},
		{"encrypt", "my secret\n", []string{"encrypt"}, asked{"POST", "/encryption/encrypt", asAdmin, plain, "", "", "my secret"}},
	}
	s := newStub(t, map[string]said{
		"GET /accounts/bob": {200, "", rustAccount}, "POST /accounts": {200, "", rustAccount}, "PUT /accounts/bob": {200, "", rustAccount},
		"PUT /accounts/bob/settings": {200, "", rustAccount}, "DELETE /accounts/bob": {204, "", ""}, "DELETE /accounts/a%2F..%2Fb": {200, "", rustAccount},
		"GET /accounts/bob/balance": {200, "", `{"balance":0}`}, "PUT /routes/static/test.bob": {200, "text/plain", "bob"}, "PUT /routes/static": {200, "", `{"a":"b"}`},
		"DELETE /routes/static/test.bob": {204, "", ""}, "PUT /rates": {200, "", `{"ABC":1.0}`}, "PUT /settlement/engines": {200, "", `{}`},
		"POST /accounts/bob/settlement/resolution": {200, "", `{"key":"k1","outcome":"refunded","amount":"5"}`},
		"POST /accounts/alice/payments":            {200, "", `{"delivered_amount":1}`}, "PUT /encryption/keys/JKS": {204, "", ""},
		"POST /encryption/encrypt": {200, "text/plain", "enc:paydoor:node:secret:1:aes_gcm:AAAA"},
	})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newTerminal(s)
			m.stdin, m.variables["OUT"] = test.stdin, "from-env"
			if got := m.types(t, test.args...); got.status != 0 {
				t.Fatalf("status %d: %s", got.status, got.err)
			}
			if diff := cmp.Diff(test.want, s.last(t), cmp.AllowUnexported(asked{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPaymentsHaveAKeyOfTheirOwn(t *testing.T) {
	s := newStub(t, map[string]said{"POST /accounts/alice/payments": {200, "", `{"sent_amount":1,"delivered_amount":1}`}})
	m := newTerminal(s)
	first := m.types(t, "pay", "alice", "--to", "$p.example", "--amount", "1")
	one := s.last(t).key
	m.types(t, "pay", "alice", "--to", "$p.example", "--amount", "1")
	two := s.last(t).key
	if len(one) < 20 || one == two {
		t.Errorf("the keys are %q and %q", one, two)
	}
	if want := "paydoor: paying with idempotency key " + one; first.err != want {
		t.Errorf("printed %q, want %q", first.err, want)
	}
}
