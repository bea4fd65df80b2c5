package nodeapi

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// credentials are customSettings of all kinds.
var credentials = map[string]map[string]any{
	"simple": {"ilpOverHttp.incoming.auth_type": "SIMPLE", "ilpOverHttp.incoming.simple.auth_token": strong},
	"jwt": {
		"ilpOverHttp.incoming.auth_type": "JWT_HS_256", "ilpOverHttp.incoming.jwt.token_subject": "bob", "ilpOverHttp.incoming.jwt.shared_secret": strong,
		"ilpOverHttp.incoming.jwt.token_issuer": "https://bob.example/", "ilpOverHttp.incoming.jwt.token_expiry": "whenever", "ilpOverHttp.outgoing.auth_type": "JWT_HS_256",
		"ilpOverHttp.outgoing.jwt.token_subject": "us", "ilpOverHttp.outgoing.jwt.shared_secret": other, "ilpOverHttp.outgoing.jwt.token_expiry": "PT2H3M4.5S",
		"ilpOverHttp.outgoing.url": "https://bob.example/accounts/us/ilp",
	},
	"both, and what is left over": {
		"ilpOverHttp.incoming.auth_type": "SIMPLE", "ilpOverHttp.incoming.simple.auth_token": strong, "ilpOverHttp.incoming.jwt.shared_secret": "shh",
		"ilpOverHttp.outgoing.auth_type": "simple", "ilpOverHttp.outgoing.simple.auth_token": other, "ilpOverHttp.outgoing.url": "http://127.0.0.1:1/ilp",
		"db.password": "open sesame",
	},
	"nested": {"ilpOverHttp": map[string]any{
		"incoming": map[string]any{"auth_type": "JWT_HS_256", "jwt": map[string]any{"token_subject": "bob", "shared_secret": strong}},
		"outgoing": map[string]any{"auth_type": "SIMPLE", "simple": map[string]any{"auth_token": other}, "url": "https://bob.example"},
	}},
	"the older spelling": {
		"ilpOverHttp.incoming.auth_type": "SIMPLE", "ilpOverHttp.incoming.shared_secret": strong, "ilpOverHttp.outgoing.auth_type": "JWT_HS_256",
		"ilpOverHttp.outgoing.token_subject": "us", "ilpOverHttp.outgoing.shared_secret": other, "ilpOverHttp.outgoing.token_expiry": "PT1M",
		"ilpOverHttp.outgoing.url": "https://bob.example",
	},
}

func TestSecretsOnUpdate(t *testing.T) {
	const key = "ilpOverHttp.incoming.simple.auth_token"
	for name, test := range map[string]struct {
		given any
		want  string // "": refused
	}{
		"stars": {"***", strong}, "empty": {"", strong}, "null": {nil, strong}, "REDACTED": {"[REDACTED]", strong}, "SECRET": {"SECRET", strong},
		"as shown": {"as shown", strong}, "new": {other, other}, "weak": {"shh", ""}, "not sealed": {"enc:paydoor:x", ""},
	} {
		b := newBed(t, nil)
		shown := b.createJava(t, map[string]any{"customSettings": credentials["simple"]})
		custom := shown["customSettings"].(map[string]any)
		if test.given != "as shown" {
			custom[key] = test.given
		}
		w := b.ask(t, "PUT", "/accounts/bob", basic, string(mustJSON(shown)))
		s, err := b.directory.Account("bob")
		if err != nil {
			t.Fatal(err)
		}
		want := test.want
		if want == "" {
			refusal(t, w, 400)
			want = strong
		} else if w.Code != 200 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got := b.open(t, s.HTTP.Incoming[0].Secret); got != want {
			t.Errorf("%s: the secret is %q, want %q", name, got, want)
		}
		if w := b.ask(t, "GET", "/accounts/bob/balance", "Bearer "+want, ""); w.Code != 200 {
			t.Errorf("%s: %d with the token that should count", name, w.Code)
		}
	}
	// A secret for another use is not the one that was kept.
	b := newBed(t, nil)
	b.createJava(t, map[string]any{"customSettings": credentials["simple"]})
	jwt := map[string]any{"ilpOverHttp.incoming.auth_type": "JWT_HS_256", "ilpOverHttp.incoming.jwt.token_subject": "b", "ilpOverHttp.incoming.jwt.shared_secret": "***"}
	refusal(t, b.ask(t, "PUT", "/accounts/bob", basic, accountBody(t, map[string]any{"customSettings": jwt})), 400)
}

func TestSecretsThatNothingUses(t *testing.T) {
	b := newBed(t, nil)
	shown := b.createJava(t, map[string]any{"customSettings": map[string]any{"db.password": "open sesame", "db.secret": "", "db.user": "ali"}})
	custom := shown["customSettings"].(map[string]any)
	if b.open(t, custom["db.password"]) != "open sesame" || custom["db.user"] != "ali" || len(custom) != 2 {
		t.Fatalf("%v", custom)
	}
	kept := custom["db.password"]
	for given, want := range map[string]string{"***": "open sesame", kept.(string): "open sesame", "close": "close"} {
		custom["db.password"] = given
		w := b.ask(t, "PUT", "/accounts/bob", basic, string(mustJSON(shown)))
		if w.Code != http.StatusOK {
			t.Fatalf("%q: %d %s", given, w.Code, w.Body)
		}
		if got := b.open(t, members(t, w)["customSettings"].(map[string]any)["db.password"]); got != want {
			t.Errorf("%q: the secret is %q", given, got)
		}
		custom["db.password"] = kept
		if w := b.ask(t, "PUT", "/accounts/bob", basic, string(mustJSON(shown))); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	given := map[string]any{"limits.tokens_per_day": "7", "ilpOverHttp.outgoing.jwt.token_audience": "them", "db.authority": "ca", "db.user": "ali"} // are none
	for _, key := range []string{
		"db.password", "db.clientSecret", "engine.authToken", "engine.auth-token", "access_token", "token", "x.TOKEN", "key.passphrase", "db.credential", "dbCredentials", "tls.privateKey", "tls.private-key", "x.api_key", "apiKey",
	} {
		given[key] = "open sesame"
	}
	custom, _ = b.createJava(t, map[string]any{"accountId": "many", "customSettings": given})["customSettings"].(map[string]any)
	for key, value := range given {
		if got, _ := custom[key].(string); value == "open sesame" && (!strings.HasPrefix(got, sealedPrefix) || b.open(t, got) != value) || value != "open sesame" && got != value {
			t.Errorf("%s is kept as %q", key, got)
		}
	}
	refusal(t, b.ask(t, "PUT", "/accounts/bob", basic, accountBody(t, map[string]any{"customSettings": map[string]any{"db.password": 1.5, "db.secret": []any{strong}}})), 400)
}

// TestWhatOnlySoundsLikeASecret comes back as it was sent, also when it is sent again.
func TestWhatOnlySoundsLikeASecret(t *testing.T) {
	b := newBed(t, nil)
	given := map[string]any{"http.withCredentials": true, "requireToken": false, "http.credentialType": "BASIC", "db.password": "open sesame", "db.credentials": []any{}}
	shown := b.createJava(t, map[string]any{"customSettings": given})
	for range 2 {
		custom, _ := shown["customSettings"].(map[string]any)
		for key, value := range given {
			if key == "db.password" {
				value = custom[key]
				if b.open(t, value) != given[key] {
					t.Errorf("%s is %v", key, value)
				}
			}
			if !reflect.DeepEqual(custom[key], value) {
				t.Errorf("%s is %v, sent was %v", key, custom[key], value)
			}
		}
		w := b.ask(t, "PUT", "/accounts/bob", basic, string(mustJSON(shown)))
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		shown = members(t, w)
	}
}

func TestSecretsStandInNoAnswerAndNoLog(t *testing.T) {
	core, logged := observer.New(zap.DebugLevel)
	b := newBed(t, func(c *Config) { c.Logger = zap.New(core); c.AllowWeakSecrets = true })
	var answers strings.Builder
	keep := func(method, path, body string) {
		w := b.ask(t, method, path, basic, body)
		fmt.Fprintf(&answers, "%s %s: %d %v %s\n", method, path, w.Code, w.Header(), w.Body)
	}
	for name, custom := range credentials {
		body := accountBody(t, map[string]any{"accountId": "bob", "customSettings": custom, "settlementEngineDetails": map[string]any{
			"baseUrl": "https://engine.example", "customSettings": map[string]any{"auth_token": strong}}})
		keep("POST", "/accounts", body)
		keep("GET", "/accounts/bob", "")
		keep("GET", "/accounts", "")
		keep("PUT", "/accounts/bob", body)
		keep("PUT", "/accounts/bob", body[:len(body)-1])
		b.opener.fail = errors.New("it does not open")
		keep("PUT", "/accounts/bob", body)
		b.opener.fail = nil
		keep("DELETE", "/accounts/bob", "")
		if got := b.directory.Accounts(); len(got) != 0 {
			t.Fatalf("%s: %v\n%s", name, got, &answers)
		}
	}
	for _, entry := range logged.All() {
		fmt.Fprintf(&answers, "%s %v\n", entry.Message, entry.ContextMap())
	}
	if logged.Len() != len(credentials) {
		t.Errorf("%d lines were logged", logged.Len())
	}
	for _, secret := range []string{strong, other, "open sesame", `"shh"`, testAdmin} {
		if i := strings.Index(answers.String(), secret); i >= 0 {
			t.Errorf("%q stands in …%s", secret, answers.String()[max(0, i-300):i+len(secret)])
		}
	}
}
