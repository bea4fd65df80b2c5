package nodeapi

import (
	"net/http"
	"strings"
	"testing"
)

// refusingOpener finds one setting wrong.
type refusingOpener struct {
	Opener
	field string
}

func (o *refusingOpener) Open(s Settings) error {
	if o.field == "" {
		return o.Opener.Open(s)
	}
	return &FieldError{Field: o.field, Why: "it cannot be used"}
}

// TestRefusalsNameTheClientsOwnMembers: what opening an account finds wrong has the name in the answer that the client knows it by.
func TestRefusalsNameTheClientsOwnMembers(t *testing.T) {
	opener := new(refusingOpener)
	b := newBed(t, func(c *Config) { opener.Opener, c.Opener = c.Opener, opener })
	b.createJava(t, map[string]any{"accountId": "bob", "customSettings": map[string]any{
		"ilpOverHttp.incoming.auth_type": "SIMPLE", "ilpOverHttp.incoming.simple.auth_token": strong,
		"ilpOverHttp.outgoing.auth_type": "JWT_HS_256", "ilpOverHttp.outgoing.token_subject": "me", "ilpOverHttp.outgoing.shared_secret": strong,
		"ilpOverHttp.outgoing.url": "https://bob.example/ilp",
	}})
	shown := members(t, b.ask(t, "GET", "/accounts/bob", basic, ""))
	for field, names := range map[string]struct{ rust, java string }{
		"id":                 {"username", "accountId"},
		"relation":           {"routing_relation", "accountRelationship"},
		"asset":              {"asset_code", "assetCode"},
		"max_packet":         {"max_packet_amount", "maximumPacketAmount"},
		"amount_per_minute":  {"amount_per_minute_limit", ""},
		"packets_per_minute": {"packets_per_minute_limit", "rateLimitSettings.maxPacketsPerSecond"},
		"round_trip":         {"round_trip_time", ""},
		"link":               {"routing_relation", "linkType"},
		"http.url":           {"ilp_over_http_url", "ilpOverHttp.outgoing.url"},
		"http.incoming":      {"ilp_over_http_incoming_token", "ilpOverHttp.incoming.simple.auth_token"},
		"http.outgoing":      {"ilp_over_http_outgoing_token", "ilpOverHttp.outgoing.shared_secret"},
		"btp.url":            {"ilp_over_btp_url", ""},
		"btp.incoming":       {"ilp_over_btp_incoming_token", ""},
		"btp.outgoing":       {"ilp_over_btp_outgoing_token", ""},
	} {
		opener.field = field
		for _, request := range []struct{ method, path, authorization, body, want string }{
			{"POST", "/accounts", asAdmin, account("alice", aliceKey), names.rust},
			{"PUT", "/accounts/bob", asAdmin, account("bob", bobKey), names.rust},
			{"PUT", "/accounts/bob/settings", asAdmin, `{"settle_to":7}`, names.rust},
			{"PUT", "/accounts/bob", basic, string(mustJSON(shown)), names.java},
		} {
			w := b.ask(t, request.method, request.path, request.authorization, request.body)
			m := members(t, w)
			if w.Code != http.StatusBadRequest {
				t.Fatalf("%s: %d %v", field, w.Code, m)
			}
			name := ""
			if params, _ := m["invalid-params"].([]any); len(params) == 1 {
				name, _ = params[0].(map[string]any)["name"].(string)
			}
			if name != request.want || !strings.Contains(m["detail"].(string), "it cannot be used") {
				t.Errorf("%s %s about %s: %q, want %q: %v", request.method, request.path, field, name, request.want, m)
			}
		}
	}
}
