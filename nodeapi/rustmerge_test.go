package nodeapi

// This file sends merge patches: an account of whichever form keeps what they leave out.

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
)

// merge sends a merge patch.
func (b *bed) merge(t *testing.T, authorization, name, body string, want int) {
	t.Helper()
	if w := b.askWith(t, "PUT", "/accounts/"+name, authorization, body, map[string]string{"Content-Type": mergePatch}); w.Code != want {
		t.Errorf("%s: %d %s, want %d", body, w.Code, w.Body, want)
	}
}

func TestAMergePatchLeavesTheRest(t *testing.T) {
	b := newBed(t, nil)
	id := 0
	for _, custom := range credentials {
		id++
		b.createJava(t, map[string]any{"accountId": fmt.Sprintf("a%d", id), "customSettings": custom})
	}
	b.createJava(t, full)
	b.createJava(t, map[string]any{"accountId": "small", "assetCode": "usd"})
	for _, s := range b.rustAccounts(t) {
		if _, err := b.create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	b.ask(t, "POST", "/accounts", asAdmin, seedAccount)
	accounts := b.directory.Accounts()
	if len(accounts) != len(credentials)+2+4+1 {
		t.Fatalf("%d accounts", len(accounts))
	}
	seven := amount.Amount(7)
	for _, before := range accounts {
		name := string(before.ID)
		for _, step := range []struct {
			body string
			edit func(s *Settings)
		}{
			{fmt.Sprintf(`{"username":%q}`, name), func(*Settings) {}},
			{fmt.Sprintf(`{"username":%q,"asset_code":%q,"asset_scale":"%d","max_packet_amount":7}`, name, before.Asset.Code, before.Asset.Scale), func(s *Settings) { s.MaxPacket = &seven }},
			{fmt.Sprintf(`{"username":%q,"max_packet_amount":null,"ilp_over_btp_url":null,"ilp_over_http_outgoing_token":null}`, name), func(s *Settings) {
				s.MaxPacket, s.BTP.URL, s.HTTP.Outgoing = nil, "", nil
			}},
			{fmt.Sprintf(`{"username":%q,"min_balance":null,"ilp_over_http_incoming_token":%q,"settlement_engine_url":null}`, name, shownSecret), func(s *Settings) { s.MinBalance, s.Engine = nil, Engine{} }},
		} {
			b.merge(t, asAdmin, name, step.body, 200)
			after, err := b.directory.Account(before.ID)
			if err != nil {
				t.Fatal(err)
			}
			step.edit(&before)
			after.Modified = before.Modified
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s after %s (-want +got):\n%s", name, step.body, diff)
			}
		}
	}
	for body, want := range map[string]int{
		`{"username":"bob","asset_scale":null}`: 400, `{"username":"bob","min_balance":"x"}`: 400, `{"username":"other"}`: 400, `{"username":"bob","routing_relation":"Friend"}`: 400,
	} {
		b.merge(t, asAdmin, "bob", body, want)
	}
	b.merge(t, basic, "bob", accountBody(t, map[string]any{"accountId": "bob"}), 415)
}

// TestAMergePatchGivesAPeerAnAddress where it becomes one, and where its address is taken away.
func TestAMergePatchGivesAPeerAnAddress(t *testing.T) {
	b := rustBed(t, nil)
	for _, step := range []struct{ body, want string }{
		{`{"username":"bob","routing_relation":"Peer"}`, "test.node.bob"},
		{`{"username":"bob","ilp_address":"test.bob"}`, "test.bob"},
		{`{"username":"bob","min_balance":0}`, "test.bob"},
		{`{"username":"bob","ilp_address":null}`, "test.node.bob"},
	} {
		b.merge(t, asAdmin, "bob", step.body, 200)
		if s, err := b.directory.Account("bob"); err != nil || string(s.Address) != step.want {
			t.Errorf("%s: address %q, %v, want %q", step.body, s.Address, err, step.want)
		}
	}
}
