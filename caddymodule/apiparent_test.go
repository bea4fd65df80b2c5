package caddymodule

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestAParentIsWhatTheAPIShows: what an answer says about routes is what the node does, in either dialect, and what has no other way goes to a new parent.
func TestAParentIsWhatTheAPIShows(t *testing.T) {
	java := `{"accountId":"up","accountRelationship":"PARENT","linkType":"ILP_OVER_HTTP","assetCode":"USD","assetScale":9,` +
		`"customSettings":{"ilpOverHttp.outgoing.auth_type":"SIMPLE","ilpOverHttp.outgoing.simple.auth_token":"` + strong + `","ilpOverHttp.outgoing.url":"https://parent.invalid/ilp"}`
	const rust = `{"username":"up","asset_code":"USD","asset_scale":9,"routing_relation":"Parent","ilp_over_http_url":"https://parent.invalid/ilp"}`
	s := newServer(t)
	s.options = strings.Replace(s.options, "sandbox", "address test.paydoor", 1)
	s.load()
	for _, test := range []struct {
		body     string
		receives bool
	}{{java + `}`, false}, {java + `,"receiveRoutes":false}`, false}, {java + `,"receiveRoutes":true}`, true}, {rust, false}} {
		made := s.operates(http.MethodPost, "/accounts", test.body)
		var shown struct {
			Sends    bool `json:"sendRoutes"`
			Receives bool `json:"receiveRoutes"`
		}
		if err := json.Unmarshal([]byte(made.body), &shown); err != nil || made.StatusCode/100 != 2 {
			t.Fatalf("%s: %s %s", test.body, made.Status, made.body)
		}
		up, _ := s.running().node.Account("up")
		if shown.Sends != up.SendRoutes || shown.Receives != up.ReceiveRoutes || up.ReceiveRoutes != test.receives {
			t.Errorf("%s: the answer is %s; the node sends %v, receives %v", test.body, made.body, up.SendRoutes, up.ReceiveRoutes)
		}
		if routes := s.asks("/routes", ""); routes.body != `{"":"up"}`+"\n" {
			t.Errorf("%s: the routes are %s", test.body, routes.body)
		}
		if gone := s.operates(http.MethodDelete, "/accounts/up", ""); gone.StatusCode/100 != 2 {
			t.Fatalf("%s %s", gone.Status, gone.body)
		}
		if routes := s.asks("/routes", ""); routes.body != "{}\n" {
			t.Errorf("with the parent its route does not go: %s", routes.body)
		}
	}
}
