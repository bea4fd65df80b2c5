package nodeapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAccountsThatCannotBe(t *testing.T) {
	in := func(pairs ...any) map[string]any {
		custom := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			custom["ilpOverHttp."+pairs[i].(string)] = pairs[i+1]
		}
		return map[string]any{"customSettings": custom}
	}
	url := func(u string) map[string]any {
		return in("outgoing.auth_type", "SIMPLE", "outgoing.simple.auth_token", strong, "outgoing.url", u)
	}
	tests := map[string]struct {
		edits map[string]any
		field string
	}{
		"no relation":         {map[string]any{"accountRelationship": nil}, "accountRelationship"},
		"relation":            {map[string]any{"accountRelationship": "child"}, "accountRelationship"},
		"no link":             {map[string]any{"linkType": nil}, "linkType"},
		"link":                {map[string]any{"linkType": "FOO"}, "linkType"},
		"link BTP":            {map[string]any{"linkType": "BTP"}, "linkType"},
		"no asset":            {map[string]any{"assetCode": nil}, "assetCode"},
		"asset":               {map[string]any{"assetCode": "U\nSD"}, "assetCode"},
		"asset object":        {map[string]any{"assetCode": map[string]any{}}, "assetCode"},
		"no scale":            {map[string]any{"assetScale": nil}, "assetScale"},
		"scale":               {map[string]any{"assetScale": 256}, "assetScale"},
		"scale float":         {map[string]any{"assetScale": 1.5}, "assetScale"},
		"scale word":          {map[string]any{"assetScale": "six"}, "assetScale"},
		"packet":              {map[string]any{"maximumPacketAmount": "18446744073709551616"}, "maximumPacketAmount"},
		"packet negative":     {map[string]any{"maximumPacketAmount": -1}, "maximumPacketAmount"},
		"balances":            {map[string]any{"balanceSettings": 5}, "balanceSettings"},
		"min balance":         {map[string]any{"balanceSettings": map[string]any{"minBalance": "9223372036854775808"}}, "balanceSettings.minBalance"},
		"min balance float":   {map[string]any{"balanceSettings": map[string]any{"minBalance": json.Number("1e3")}}, "balanceSettings.minBalance"},
		"threshold":           {map[string]any{"balanceSettings": map[string]any{"settleThreshold": 4, "settleTo": 5}}, "balanceSettings.settleThreshold"},
		"threshold default":   {map[string]any{"balanceSettings": map[string]any{"settleThreshold": -1}}, "balanceSettings.settleThreshold"},
		"rate 0":              {map[string]any{"rateLimitSettings": map[string]any{"maxPacketsPerSecond": 0}}, "rateLimitSettings.maxPacketsPerSecond"},
		"rate too high":       {map[string]any{"rateLimitSettings": map[string]any{"maxPacketsPerSecond": 71582789}}, "rateLimitSettings.maxPacketsPerSecond"},
		"flag":                {map[string]any{"internal": "perhaps"}, "internal"},
		"segment":             {map[string]any{"ilpAddressSegment": "a.b"}, "ilpAddressSegment"},
		"only dots":           {map[string]any{"accountId": "..."}, "ilpAddressSegment"},
		"engine":              {map[string]any{"settlementEngineDetails": map[string]any{}}, "settlementEngineDetails.baseUrl"},
		"engine url":          {map[string]any{"settlementEngineDetails": map[string]any{"baseUrl": "http://engine.example"}}, "settlementEngineDetails.baseUrl"},
		"custom":              {map[string]any{"customSettings": []any{}}, "customSettings"},
		"custom deep":         {map[string]any{"customSettings": deep(12)}, "customSettings"},
		"custom twice":        {map[string]any{"customSettings": map[string]any{"a.b": 1, "a": map[string]any{"b": 2}}}, "customSettings"},
		"loopback code":       {map[string]any{"linkType": "LOOPBACK", "customSettings": map[string]any{"simulatedRejectErrorCode": "T2"}}, "customSettings.simulatedRejectErrorCode"},
		"auth type":           {in("incoming.auth_type", "NONE"), "ilpOverHttp.incoming.auth_type"},
		"auth type number":    {in("incoming.auth_type", 1, "incoming.simple.auth_token", []any{}), "ilpOverHttp.incoming.auth_type"},
		"no auth type":        {in("incoming.simple.auth_token", strong), "ilpOverHttp.incoming.auth_type"},
		"RS256":               {in("incoming.auth_type", "JWT_RS_256"), "ilpOverHttp.incoming.auth_type"},
		"no secret":           {in("incoming.auth_type", "SIMPLE"), "ilpOverHttp.incoming.simple.auth_token"},
		"secret null":         {in("incoming.auth_type", "SIMPLE", "incoming.simple.auth_token", nil), "ilpOverHttp.incoming.simple.auth_token"},
		"secret empty":        {in("incoming.auth_type", "SIMPLE", "incoming.simple.auth_token", ""), "ilpOverHttp.incoming.simple.auth_token"},
		"secret redacted":     {in("incoming.auth_type", "SIMPLE", "incoming.simple.auth_token", "***"), "ilpOverHttp.incoming.simple.auth_token"},
		"secret weak":         {in("incoming.auth_type", "SIMPLE", "incoming.simple.auth_token", "31-bytes-are-not-yet-enough-so."), "ilpOverHttp.incoming.simple.auth_token"},
		"secret of spaces":    {in("incoming.auth_type", "SIMPLE", "incoming.simple.auth_token", strings.Repeat("a b ", 10)), "ilpOverHttp.incoming.simple.auth_token"},
		"secret not sealed":   {in("incoming.auth_type", "SIMPLE", "incoming.simple.auth_token", "enc:JKS:crypto.p12:secret0:1:aes_gcm:!!!!!"), "ilpOverHttp.incoming.simple.auth_token"},
		"secret without key":  {in("incoming.auth_type", "SIMPLE", "incoming.shared_secret", "enc:JKS:crypto.p12:secret0:1:aes_gcm:AAAADKZPmASojt1iayb2bPy4D-Toq7TGLTN95HzCQAeJtz0="), "ilpOverHttp.incoming.shared_secret"},
		"unused without key":  {in("incoming.jwt.token_secret", "enc:JKS:x"), "ilpOverHttp.incoming.jwt.token_secret"},
		"jwt without subject": {in("incoming.auth_type", "JWT_HS_256", "incoming.jwt.shared_secret", strong), "ilpOverHttp.incoming.jwt.token_subject"},
		"jwt weak":            {in("incoming.auth_type", "JWT_HS_256", "incoming.token_subject", "b", "incoming.shared_secret", "shh"), "ilpOverHttp.incoming.shared_secret"},
		"no url":              {in("outgoing.auth_type", "SIMPLE", "outgoing.simple.auth_token", strong), "ilpOverHttp.outgoing.url"},
		"expiry": {in("outgoing.auth_type", "JWT_HS_256", "outgoing.jwt.token_subject", "b", "outgoing.jwt.shared_secret", strong, "outgoing.url", "https://a.example",
			"outgoing.jwt.token_expiry", "5m"), "ilpOverHttp.outgoing.jwt.token_expiry"},
		"url plain":    {url("http://bob.example/ilp"), "ilpOverHttp.outgoing.url"},
		"url scheme":   {url("ftp://bob.example/ilp"), "ilpOverHttp.outgoing.url"},
		"url user":     {url("https://bob:" + other + "@bob.example/ilp"), "ilpOverHttp.outgoing.url"},
		"url fragment": {url("https://bob.example/ilp#x"), "ilpOverHttp.outgoing.url"},
		"url relative": {url("/ilp"), "ilpOverHttp.outgoing.url"},
		"url broken":   {url("https://[::1/ilp"), "ilpOverHttp.outgoing.url"},
	}
	b := newBed(t, nil)
	b.createJava(t, map[string]any{"customSettings": credentials["simple"]})
	before := b.directory.Accounts()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			id := map[string]any{"accountId": "eve"}
			if _, ok := test.edits["accountId"]; ok {
				id = nil
			}
			w := b.ask(t, "POST", "/accounts", basic, accountBody(t, merge(id, test.edits)))
			p := refusal(t, w, http.StatusBadRequest)
			if p["type"] != problemTypes+"/accounts/invalid-account-settings" || p["title"] != "Invalid Account Settings" || p["accountId"] == nil {
				t.Errorf("%v", p)
			}
			params, _ := p["invalid-params"].([]any)
			if len(params) != 1 || params[0].(map[string]any)["name"] != test.field || params[0].(map[string]any)["reason"] == "" {
				t.Errorf("invalid-params %v, want %s", params, test.field)
			}
			if strings.Contains(w.Body.String(), other) || strings.Contains(w.Body.String(), strong) {
				t.Errorf("a secret stands in %s", w.Body)
			}
		})
	}
	if diff := cmp.Diff(before, b.directory.Accounts()); diff != "" {
		t.Errorf("what was refused has changed accounts:\n%s", diff)
	}
}

func TestBodiesAreCalledJSON(t *testing.T) {
	b := newBed(t, nil)
	for media, status := range map[string]int{
		"application/json; charset=UTF-8": 201, "application/vnd.api+json": 201, "": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415,
		"application/json; charset=iso-8859-1": 415, "application/json;": 201, "application/octet-stream": 415,
	} {
		r := httptest.NewRequest("POST", "/accounts", strings.NewReader(accountBody(t, nil)))
		r.Header.Set("Authorization", basic)
		r.Header.Set("Content-Type", media)
		w := httptest.NewRecorder()
		if b.ServeHTTP(w, r); w.Code != status {
			t.Errorf("%q: %d, want %d", media, w.Code, status)
		}
		b.ask(t, "DELETE", "/accounts/bob", basic, "")
	}
}

func merge(maps ...map[string]any) map[string]any {
	all := make(map[string]any)
	for _, m := range maps {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

// deep returns objects nested n deep.
func deep(n int) map[string]any {
	if n == 0 {
		return map[string]any{"a": 1, "b": 2}
	}
	return map[string]any{"a": deep(n - 1)}
}

func TestOtherRefusals(t *testing.T) {
	b := newBed(t, func(c *Config) {
		c.Static = []Settings{{ID: "static", Form: FormRust, Relation: "child", Asset: Asset{"USD", 2}, Origin: "Caddyfile:7"}}
	})
	b.createJava(t, nil)
	b.createJava(t, map[string]any{"accountId": "up", "accountRelationship": "PARENT"})
	existing := accountBody(t, nil)
	tests := []struct {
		name, method, path, body string
		status                   int
		kind, title              string
	}{
		{"exists", "POST", "/accounts", existing, 409, "/accounts/account-already-exists", "Account Already Exists (`bob`)"},
		{"static exists", "POST", "/accounts", accountBody(t, map[string]any{"accountId": "static"}), 409, "/accounts/account-already-exists", "Account Already Exists (`static`)"},
		{"unknown get", "GET", "/accounts/eve", "", 404, "/accounts/account-not-found", "Account Not Found (`eve`)"},
		{"unknown put", "PUT", "/accounts/eve", existing, 404, "/accounts/account-not-found", "Account Not Found (`eve`)"},
		{"unknown delete", "DELETE", "/accounts/eve", "", 404, "/accounts/account-not-found", "Account Not Found (`eve`)"},
		{"unknown balance", "GET", "/accounts/eve/balance", "", 404, "/accounts/account-not-found", "Account Not Found (`eve`)"},
		{"colon", "POST", "/accounts", accountBody(t, map[string]any{"accountId": "pepe:silvia"}), 400, "/accounts/invalid-account-id", ""},
		{"plus", "POST", "/accounts", accountBody(t, map[string]any{"accountId": "pepe+silvia"}), 400, "/accounts/invalid-account-id", ""},
		{"long", "POST", "/accounts", accountBody(t, map[string]any{"accountId": strings.Repeat("a", 65)}), 400, "/accounts/invalid-account-id", ""},
		{"dots", "POST", "/accounts", accountBody(t, map[string]any{"accountId": "..", "accountRelationship": "PEER"}), 400, "/accounts/invalid-account-id", ""},
		{"no id", "POST", "/accounts", accountBody(t, map[string]any{"accountId": nil}), 400, "/accounts/invalid-account-id", ""},
		{"static put", "PUT", "/accounts/static", existing, 409, "", "Conflict"},
		{"static delete", "DELETE", "/accounts/static", "", 409, "", "Conflict"},
		{"no JSON", "POST", "/accounts", `{"accountId":`, 400, "", "Bad Request"},
		{"no object", "POST", "/accounts", `[1]`, 400, "", "Bad Request"},
		{"null", "PUT", "/accounts/bob", `null`, 400, "", "Bad Request"},
		{"two", "PUT", "/accounts/bob", existing + existing, 400, "", "Bad Request"},
		{"long body", "PUT", "/accounts/bob", `{"a":"` + strings.Repeat("a", maxBody) + `"}`, 413, "", "Request Entity Too Large"},
		{"long settings", "POST", "/accounts", accountBody(t, map[string]any{"accountId": "eve", "description": strings.Repeat("a", 70000)}), 400,
			"/accounts/invalid-account-settings", "Invalid Account Settings"},
		{"two parents", "POST", "/accounts", accountBody(t, map[string]any{"accountId": "eve", "accountRelationship": "PARENT"}), 400,
			"/accounts/invalid-account-settings", "Invalid Account Settings"},
		{"no media type", "POST", "/accounts", "", 415, "", "Unsupported Media Type"},
	}
	for _, test := range tests {
		p := refusal(t, b.ask(t, test.method, test.path, basic, test.body), test.status)
		kind := problemTypes + test.kind
		if test.kind == "" {
			kind = "about:blank"
		}
		if p["type"] != kind || test.title != "" && p["title"] != test.title {
			t.Errorf("%s: %v", test.name, p)
		}
	}
	b.opener.fail = errors.New("a cause for the log alone")
	if p := refusal(t, b.ask(t, "POST", "/accounts", basic, accountBody(t, map[string]any{"accountId": "eve"})), 500); strings.Contains(p["detail"].(string), "alone") {
		t.Errorf("%v", p)
	}
	if accounts := b.directory.Accounts(); len(accounts) != 2 || len(b.node.Status().Accounts) != 2 {
		t.Errorf("%d accounts", len(accounts))
	}
}
