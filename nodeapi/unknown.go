package nodeapi

// This file answers requests for which there is no endpoint with problems, as all others are.

import "net/http"

// unknownWriter turns the plain-text 404 and 405 of http.ServeMux into problems; the Allow header of a 405 stays.
type unknownWriter struct{ http.ResponseWriter }

func (w *unknownWriter) WriteHeader(status int) {
	detail := "the node's API has no such endpoint; docs/node-api.md lists them"
	if status == http.StatusMethodNotAllowed {
		detail = "this endpoint takes other methods: see Allow"
	}
	writeProblem(w.ResponseWriter, problemDetails{Status: status, Detail: detail})
}

func (w *unknownWriter) Write(b []byte) (int, error) { return len(b), nil }
