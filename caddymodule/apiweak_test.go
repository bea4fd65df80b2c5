package caddymodule

// This file asks the API for what only a line of the Caddyfile allows.

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAPITakesWeakSecretsWhereTheCaddyfileDoes(t *testing.T) {
	for line, want := range map[string]int{"": http.StatusBadRequest, "allow_weak_secrets": http.StatusCreated} {
		s := newServer(t)
		s.options += "\nadmin_token " + strong + "\n" + line
		s.load()
		body := `{"accountId": "peter", "accountRelationship": "CHILD", "linkType": "ILP_OVER_HTTP", "assetCode": "USD", "assetScale": "9",
			"customSettings": {"ilpOverHttp.incoming.auth_type": "SIMPLE", "ilpOverHttp.incoming.simple.auth_token": "shh"}}`
		request, err := http.NewRequest(http.MethodPost, "http://"+s.node+"/accounts", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("admin", strong)
		request.Header.Set("Content-Type", "application/json")
		response, err := s.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body) // for the message alone
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("with the line %q: status %d, want %d: %s", line, response.StatusCode, want, text)
		}
	}
}
