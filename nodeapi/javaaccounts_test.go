package nodeapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
)

// createJava makes an account and returns what was answered.
func (b *bed) createJava(t testing.TB, edits map[string]any) map[string]any {
	t.Helper()
	w := b.ask(t, "POST", "/accounts", basic, accountBody(t, edits))
	if w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return members(t, w)
}

func TestMinimalAccount(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Now = func() time.Time { return time.Unix(1600000000, 5000) } })
	got := b.createJava(t, map[string]any{"accountId": "Bob.1", "linkType": "LOOPBACK", "assetScale": "6", "whatHasTwoThumbs": map[string]any{"and": 1}})
	want := map[string]any{
		"accountId": "Bob.1", "createdAt": "2020-09-13T12:26:40.000005Z", "modifiedAt": "2020-09-13T12:26:40.000005Z", "description": "",
		"accountRelationship": "CHILD", "assetCode": "USD", "assetScale": "6", "maximumPacketAmount": nil, "linkType": "LOOPBACK",
		"ilpAddressSegment": "Bob1", "connectionInitiator": true, "internal": false, "sendRoutes": true, "receiveRoutes": false,
		"balanceSettings":         map[string]any{"minBalance": nil, "settleThreshold": nil, "settleTo": "0"},
		"rateLimitSettings":       map[string]any{"maxPacketsPerSecond": nil},
		"settlementEngineDetails": nil, "customSettings": map[string]any{},
		"_links": map[string]any{"self": map[string]any{"href": "http://example.com/accounts/Bob.1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if address, ok := b.node.AddressOf("Bob.1"); !ok || address != "test.node.Bob1" {
		t.Errorf("its address is %q", address)
	}
	list := members(t, b.ask(t, "GET", "/accounts", basic, ""))
	if diff := cmp.Diff([]any{want}, list["_embedded"].(map[string]any)["immutableAccountSettingsList"]); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"size": "1", "totalElements": "1", "totalPages": "1", "number": "0"}, list["page"]); diff != "" {
		t.Errorf("the page (-want +got):\n%s", diff)
	}
}

// full is an account with every setting, with its numbers as strings and as numbers.
var full = map[string]any{
	"accountId": "bob", "description": "A fully-populated account", "accountRelationship": "PEER", "linkType": "LOOPBACK",
	"assetCode": "FUD", "assetScale": "0", "createdAt": "2001-02-03T04:05:06Z", "modifiedAt": "+1000000000-12-31T23:59:59.999999999Z",
	"balanceSettings":         map[string]any{"settleThreshold": "10", "minBalance": "-9223372036854775808", "settleTo": 8},
	"settlementEngineDetails": map[string]any{"baseUrl": "https://engine.example/x", "settlementEngineAccountId": "e1", "customSettings": map[string]any{"foo": "bar"}},
	"rateLimitSettings":       map[string]any{"maxPacketsPerSecond": 100}, "maximumPacketAmount": "18446744073709551615",
	"connectionInitiator": false, "ilpAddressSegment": "foo", "sendRoutes": false, "receiveRoutes": true, "internal": true,
	"customSettings": map[string]any{"custom": "value", "deep": map[string]any{"er": 12345678901234567, "list": []any{1, "2", nil}, "none": map[string]any{}}},
}

func TestFullAccount(t *testing.T) {
	b := newBed(t, nil)
	got := b.createJava(t, full)
	for member, want := range map[string]any{
		"description": "A fully-populated account", "accountRelationship": "PEER", "assetCode": "FUD", "assetScale": "0", "maximumPacketAmount": "18446744073709551615",
		"connectionInitiator": false, "ilpAddressSegment": "foo", "sendRoutes": false, "receiveRoutes": true, "internal": true,
		"balanceSettings":         map[string]any{"minBalance": "-9223372036854775808", "settleThreshold": "10", "settleTo": "8"},
		"rateLimitSettings":       map[string]any{"maxPacketsPerSecond": "100"},
		"settlementEngineDetails": map[string]any{"settlementEngineAccountId": "e1", "baseUrl": "https://engine.example/x", "customSettings": map[string]any{"foo": "bar"}},
		"customSettings":          map[string]any{"custom": "value", "deep.er": "12345678901234567", "deep.list": []any{"1", "2", nil}, "deep.none": map[string]any{}},
	} {
		if diff := cmp.Diff(want, got[member]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", member, diff)
		}
	}
	got = b.createJava(t, map[string]any{"accountId": "pre", "balanceSettings": map[string]any{"settleTo": -5}})
	if diff := cmp.Diff(map[string]any{"minBalance": nil, "settleThreshold": nil, "settleTo": "-5"}, got["balanceSettings"]); diff != "" {
		t.Errorf("balances (-want +got):\n%s", diff)
	}
	s, err := b.directory.Account("bob")
	if err != nil || *s.PacketsPerMinute != 6000 || *s.MinBalance != -1<<63 || *s.MaxPacket != 1<<64-1 || *s.SettleTo != 8 || *s.SendRoutes || s.ReceiveRoutes != nil {
		t.Errorf("%+v, %v", s, err)
	}
	// What the engine calls the account is nobody else's.
	p := refusal(t, b.ask(t, "POST", "/accounts", basic, accountBody(t, map[string]any{"accountId": "eve", "settlementEngineDetails": full["settlementEngineDetails"]})), 409)
	if p["type"] != problemTypes+"/accounts/account-settlement-engine-already-exists" {
		t.Errorf("%v", p)
	}
	details := map[string]any{"baseUrl": "https://engine.example", "settlementEngineAccountId": s.UUID}
	refusal(t, b.ask(t, "POST", "/accounts", basic, accountBody(t, map[string]any{"accountId": "eve", "settlementEngineDetails": details})), 409)
}

func TestPutOfWhatWasGotChangesNothing(t *testing.T) {
	b := newBed(t, nil)
	id := 0
	for name, custom := range credentials {
		id++
		b.createJava(t, map[string]any{"accountId": fmt.Sprintf("a%d", id), "description": name, "customSettings": custom})
	}
	b.createJava(t, full)
	b.createJava(t, map[string]any{"accountId": "do.ts", "linkType": "PING"})
	b.createJava(t, map[string]any{"accountId": "up", "accountRelationship": "PARENT", "balanceSettings": map[string]any{"settleTo": -5}})
	for _, s := range b.rustAccounts(t) {
		if _, err := b.create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	accounts := b.directory.Accounts()
	if len(accounts) != len(credentials)+3+4 {
		t.Fatalf("%d accounts", len(accounts))
	}
	for _, before := range accounts {
		path := "/accounts/" + string(before.ID)
		shown := b.ask(t, "GET", path, basic, "")
		w := b.ask(t, "PUT", path, basic, shown.Body.String())
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s\n%s", before.ID, w.Code, w.Body, shown.Body)
			continue
		}
		after, err := b.directory.Account(before.ID)
		if err != nil {
			t.Fatal(err)
		}
		after.Modified = before.Modified
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s (-before +after):\n%s", before.ID, diff)
		}
		got, want := members(t, w), members(t, shown)
		delete(got, "modifiedAt")
		delete(want, "modifiedAt")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s as shown (-before +after):\n%s", before.ID, diff)
		}
	}
}

// rustAccounts are accounts with what the Java connector has no word for.
func (b *bed) rustAccounts(t *testing.T) []Settings {
	t.Helper()
	seal := func(secret string) Sealed {
		sealed, err := b.directory.Keeper().Seal(secret)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	rate, rtt, perMinute, zero, no := uint32(59), uint32(250), amount.Amount(7), int64(0), false
	usd := Asset{"USD", 9}
	return []Settings{
		{ID: "alice", Form: FormRust, Relation: "non_routing", Asset: usd, PacketsPerMinute: &rate, AmountPerMinute: &perMinute, RoundTrip: &rtt, SettleTo: &zero},
		{ID: "charlie", Form: FormRust, Relation: "peer", Asset: usd, Address: "test.charlie", HTTP: HTTPLink{
			URL: "https://charlie.example/ilp", Incoming: []Credential{{Kind: Simple, Secret: seal(strong)}, {Kind: Simple, Secret: seal(other)}}}},
		{ID: "dave", Form: FormRust, Relation: "child", Asset: usd, ReceiveRoutes: &no, BTP: BTPLink{URL: "btp+wss://dave.example", Outgoing: seal(strong)}},
		{ID: "erin", Form: FormRust, Relation: "non_routing", Asset: usd, Address: "test.a.b",
			HTTP: HTTPLink{URL: "https://erin.example/ilp", Outgoing: &Credential{Kind: Simple, Secret: seal(other)}}},
	}
}

func TestRustAccountsAsTheJavaConnectorShowsThem(t *testing.T) {
	b := newBed(t, nil)
	for _, s := range b.rustAccounts(t) {
		if _, err := b.create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]map[string]any{
		"alice": {"accountRelationship": "CHILD", "linkType": "ILP_OVER_HTTP", "sendRoutes": false, "receiveRoutes": false,
			"rateLimitSettings": map[string]any{"maxPacketsPerSecond": "1"}},
		"charlie": {"accountRelationship": "PEER", "linkType": "ILP_OVER_HTTP", "sendRoutes": true, "receiveRoutes": true},
		"dave":    {"accountRelationship": "CHILD", "linkType": "BTP", "customSettings": map[string]any{}},
	} {
		got := members(t, b.ask(t, "GET", "/accounts/"+id, basic, ""))
		for member := range want {
			if diff := cmp.Diff(want[member], got[member]); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", id, member, diff)
			}
		}
	}
	custom := members(t, b.ask(t, "GET", "/accounts/charlie", basic, ""))["customSettings"].(map[string]any)
	if custom["ilpOverHttp.incoming.auth_type"] != "SIMPLE" || b.open(t, custom["ilpOverHttp.incoming.simple.auth_token"]) != strong ||
		custom["ilpOverHttp.outgoing.url"] != "https://charlie.example/ilp" || len(custom) != 3 {
		t.Errorf("%v", custom)
	}
}

func TestAccountsOfTheCaddyfile(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Static = []Settings{{ID: "static", Relation: "local", Origin: "Caddyfile:7"}} })
	r := httptest.NewRequest("GET", "https://node.example/accounts/static", nil)
	r.Header.Set("Authorization", basic)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	for member, want := range map[string]any{
		"accountRelationship": "CHILD", "assetCode": "USD", "assetScale": "9", "createdAt": nil, "modifiedAt": nil,
		"_links": map[string]any{"self": map[string]any{"href": "https://node.example/accounts/static"}},
	} {
		if diff := cmp.Diff(want, members(t, w)[member]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", member, diff)
		}
	}
}

func TestAnotherLinkTypeEndsBTP(t *testing.T) {
	b := newBed(t, nil)
	for _, s := range b.rustAccounts(t) {
		if _, err := b.create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		link   string
		status int
	}{{"BTP", 200}, {"LOOPBACK", 200}, {"BTP", 400}} {
		if w := b.ask(t, "PUT", "/accounts/dave", basic, accountBody(t, map[string]any{"linkType": step.link})); w.Code != step.status {
			t.Fatalf("%s: %d %s", step.link, w.Code, w.Body)
		}
	}
	if s, err := b.directory.Account("dave"); err != nil || s.BTP != (BTPLink{}) || s.Link != LinkLoopback {
		t.Errorf("%+v, %v", s, err)
	}
}
