package ilphttp

// This file judges the head of a request before its body is read.

import (
	"net/http"
	"strings"
	"time"
)

const (
	// MaxBody is the longest request body read, in bytes. It is above the longest Prepare (33857): bytes after the packet are ignored.
	MaxBody = 40 << 10

	bodyTimeout   = 10 * time.Second // how long the body of an authenticated request may take
	answerTimeout = 10 * time.Second // how long the client may take to accept the answer
	mediaType     = "application/octet-stream"
	tooLarge      = "the body is longer than any ILP Prepare"
)

// bearerToken returns what follows "Bearer " in the one Authorization header there may be. Some versions of ilp-plugin-http and of the Java
// connector leave "Bearer " out.
func bearerToken(h http.Header) (token string, ok bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(values[0], " ")
	if !found {
		return scheme, scheme != "" && !strings.EqualFold(scheme, "Bearer")
	}
	token = strings.TrimSpace(token)
	return token, token != "" && strings.EqualFold(scheme, "Bearer")
}

// acceptable says whether the body can be a packet: RFC 35 has one media type, ilp-plugin-http sends another, and some send none.
func acceptable(h http.Header) bool {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	kind = strings.TrimSpace(kind)
	return kind == "" || strings.EqualFold(kind, mediaType) || strings.EqualFold(kind, "application/ilp+octet-stream")
}

// refuse answers with a status and a sentence for the person who runs the client.
func refuse(w http.ResponseWriter, status int, sentence string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(sentence + "\n")) // nobody is left to tell about a failure
}
