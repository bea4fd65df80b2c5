package nodeapi

// This file writes problems (RFC 9457), with the types that both nodes use.

import (
	"encoding/json"
	"maps"
	"net/http"
)

// problemTypes is what the types of problems begin with; the rest is each dialect's.
const problemTypes = "https://errors.interledger.org"

// problemDetails is a problem.
type problemDetails struct {
	Type   string // "": about:blank
	Title  string // "": the words of the status
	Status int
	Detail string
	Extra  map[string]any // extension members
}

// writeProblem answers with p as application/problem+json.
func writeProblem(w http.ResponseWriter, p problemDetails) {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	members := map[string]any{"type": p.Type, "title": p.Title, "status": p.Status}
	if p.Detail != "" {
		members["detail"] = p.Detail
	}
	maps.Copy(members, p.Extra)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(members) // a client that left
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that left
}
