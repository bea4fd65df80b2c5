package caddymodule

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestTheAPINamesWhatItRefuses: what is wrong with an account has the name that the client wrote it by, in either dialect, and no secret is shown.
func TestTheAPINamesWhatItRefuses(t *testing.T) {
	const weak = "hunter2"
	rust := func(more string) string {
		return `{"username":"kid","asset_code":"USD","asset_scale":9,"ilp_over_http_incoming_token":"` + strong + `",` + more + `}`
	}
	java := func(relation, url string) string {
		return `{"accountId":"kid","accountRelationship":"` + relation + `","linkType":"ILP_OVER_HTTP","assetCode":"USD","assetScale":9,"customSettings":{` +
			`"ilpOverHttp.outgoing.auth_type":"SIMPLE","ilpOverHttp.outgoing.simple.auth_token":"` + strong + `","ilpOverHttp.outgoing.url":"` + url + `"}}`
	}
	s := newServer(t)
	s.load()
	for name, test := range map[string]struct{ body, want string }{
		"play money":               {rust(`"routing_relation":"Parent"`), "routing_relation"},
		"too far":                  {rust(`"round_trip_time":20000`), "round_trip_time"},
		"own machine":              {rust(`"ilp_over_http_url":"https://127.0.0.1/ilp"`), "ilp_over_http_url"},
		"plain":                    {rust(`"ilp_over_http_url":"http://c.example/ilp"`), "ilp_over_http_url"},
		"private":                  {rust(`"ilp_over_btp_url":"btp+wss://10.1.2.3/","ilp_over_btp_outgoing_token":"` + strong + `"`), "ilp_over_btp_url"},
		"no token":                 {rust(`"ilp_over_btp_url":"btp+wss://c.example"`), "ilp_over_btp_outgoing_token"},
		"weak outgoing":            {rust(`"ilp_over_http_url":"https://c.example/ilp","ilp_over_http_outgoing_token":"` + weak + `"`), "ilp_over_http_outgoing_token"},
		"weak outgoing by BTP":     {rust(`"ilp_over_btp_url":"btp+wss://c.example","ilp_over_btp_outgoing_token":"` + weak + `"`), "ilp_over_btp_outgoing_token"},
		"weak incoming by BTP":     {rust(`"ilp_over_btp_incoming_token":"` + weak + `"`), "ilp_over_btp_incoming_token"},
		"play money in Java":       {java("PARENT", "https://c.example/ilp"), "accountRelationship"},
		"own machine in Java":      {java("PEER", "https://127.0.0.1/ilp"), "ilpOverHttp.outgoing.url"},
		"private network in Java":  {java("PEER", "https://10.1.2.3/ilp"), "ilpOverHttp.outgoing.url"},
		"name of its own, in Java": {java("PEER", "https://connector.localhost./ilp"), "ilpOverHttp.outgoing.url"},
	} {
		t.Run(name, func(t *testing.T) {
			refused := s.operates(http.MethodPost, "/accounts", test.body)
			var problem struct {
				Params []struct {
					Name string `json:"name"`
				} `json:"invalid-params"`
			}
			if err := json.Unmarshal([]byte(refused.body), &problem); err != nil || refused.StatusCode != http.StatusBadRequest || len(problem.Params) != 1 {
				t.Fatalf("%s %s", refused.Status, refused.body)
			}
			if got := problem.Params[0].Name; got != test.want {
				t.Errorf("%q is wrong, want %q: %s", got, test.want, refused.body)
			}
			if strings.Contains(refused.body, weak) || strings.Contains(refused.body, strong) {
				t.Errorf("a secret is shown: %s", refused.body)
			}
		})
	}
	if len(openLinks()) != 0 {
		t.Error("a link was left open")
	}
}
