package ilphttp

// This file judges the head of a request before its body is read.

import (
	"net/http"
	"strings"
)

const (
	// MaxBody is the longest request body read, in bytes. It is above the longest Prepare (33857): bytes after the packet are ignored.
	MaxBody = 40 << 10

	mediaType = "application/octet-stream"
	tooLarge  = "the body is longer than any ILP Prepare"
)

// acceptable says whether the body can be a packet: RFC 35 has one media type, ilp-plugin-http sends another, and some send none.
func acceptable(h http.Header) bool {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	kind = strings.TrimSpace(kind)
	return kind == "" || strings.EqualFold(kind, mediaType) || strings.EqualFold(kind, "application/ilp+octet-stream")
}
