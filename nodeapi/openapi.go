package nodeapi

// This file serves the description of the whole API.

import (
	_ "embed"
	"net/http"
)

// openAPI is an OpenAPI 3.1 document.
//
//go:embed openapi.json
var openAPI []byte

// describe answers GET /openapi.json.
func (a *API) describe(w http.ResponseWriter, _ *request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(openAPI) // a client that left
}
