package paywall

// This file keeps the Pay headers of client and backend apart and paid answers out of shared caches (D5, T6-T11, T31, T32).

import (
	"net/http"
	"strings"
)

// isPayHeader says whether a header or trailer name is the paywall's own: Pay, Pay-*, Paydoor*, in any case. An underscore
// counts as a hyphen because CGI-like backends make no difference.
func isPayHeader(name string) bool {
	if len(name) < 3 || name[0]|0x20 != 'p' || name[1]|0x20 != 'a' || name[2]|0x20 != 'y' {
		return false
	}
	rest := name[3:]
	return rest == "" || rest[0] == '-' || rest[0] == '_' || len(rest) >= 4 && strings.EqualFold(rest[:4], "door")
}

// scrub removes the paywall's own names from h, also those that net/http will send as trailers.
func scrub(h http.Header) {
	for name := range h {
		if isOurs(name) {
			delete(h, name)
		}
	}
}

func isOurs(name string) bool {
	return isPayHeader(name) || strings.HasPrefix(name, http.TrailerPrefix) && isPayHeader(name[len(http.TrailerPrefix):])
}

// namesPayHeader says whether a Connection or Trailer header lists a name of ours.
func namesPayHeader(lines []string) bool {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if isPayHeader(strings.TrimSpace(name)) {
				return true
			}
		}
	}
	return false
}

// scrubAnnounced removes our names from the Trailer header, so that the server sends no such trailer.
func scrubAnnounced(h http.Header) {
	if lines := h["Trailer"]; lines != nil && namesPayHeader(lines) {
		keepListed(h, "Trailer", func(name string) bool { return !isPayHeader(name) })
	}
}

// keepListed rewrites a comma-separated header to the elements that keep wants, or deletes it when none is left.
func keepListed(h http.Header, header string, keep func(element string) bool) {
	var kept []string
	for _, line := range h[header] {
		for element := range strings.SplitSeq(line, ",") {
			if element = strings.TrimSpace(element); element != "" && keep(element) {
				kept = append(kept, element)
			}
		}
	}
	if len(kept) == 0 {
		delete(h, header)
		return
	}
	h[header] = []string{strings.Join(kept, ", ")}
}

type upgrades bool

const (
	keepWebSocket upgrades = true
	noUpgrade     upgrades = false
)

// cleanRequest removes from r what must not reach a backend: our own headers, the token first of all; headers that make
// one method pass for another; and upgrades other than to WebSocket, since an h2c tunnel would carry requests past us.
func cleanRequest(r *http.Request, keep upgrades) {
	for name := range r.Header {
		if isPayHeader(name) || isMethodOverride(name) {
			delete(r.Header, name)
		}
	}
	if r.Trailer != nil {
		scrub(r.Trailer)
		r.Body = &trailerBody{r.Body, r.Trailer}
	}
	dropUpgrade(r, keep)
}

func dropUpgrade(r *http.Request, keep upgrades) {
	delete(r.Header, "Http2-Settings")
	upgrade := r.Header["Upgrade"]
	if len(upgrade) == 0 || bool(keep) && len(upgrade) == 1 && strings.EqualFold(strings.TrimSpace(upgrade[0]), "websocket") {
		return
	}
	delete(r.Header, "Upgrade")
	keepListed(r.Header, "Connection", func(option string) bool {
		return !strings.EqualFold(option, "upgrade") && !strings.EqualFold(option, "http2-settings")
	})
}

// CleanBeside is for requests that go to the backend of a paywall and past the paywall. It removes what could undo that one's work there:
// upgrades other than to WebSocket, since an h2c tunnel would carry requests for priced paths, and the headers that tell the backend who pays.
func CleanBeside(r *http.Request) {
	dropUpgrade(r, keepWebSocket)
	for name := range r.Header {
		if len(name) >= 7 && strings.EqualFold(name[:7], "paydoor") {
			delete(r.Header, name)
		}
	}
}

func isSharedCacheControl(name string) bool {
	return name == "Surrogate-Control" || name == "Edge-Control" || len(name) >= 17 && strings.EqualFold(name[len(name)-17:], "Cdn-Cache-Control")
}

// dropBody takes the body off r.
func dropBody(r *http.Request) {
	r.Body, r.ContentLength, r.TransferEncoding, r.Trailer = http.NoBody, 0, nil, nil
	delete(r.Header, "Content-Length")
	delete(r.Header, "Trailer")
}

func isMethodOverride(name string) bool {
	if len(name) < 13 || name[0]|0x20 != 'x' {
		return false
	}
	switch strings.ToLower(strings.ReplaceAll(name, "_", "-")) {
	case "x-http-method-override", "x-http-method", "x-method-override":
		return true
	}
	return false
}

// varyBy adds a request header to Vary unless it is there.
func varyBy(h http.Header, name string) {
	for _, line := range h["Vary"] {
		for element := range strings.SplitSeq(line, ",") {
			if element = strings.TrimSpace(element); element == "*" || strings.EqualFold(element, name) {
				return
			}
		}
	}
	h["Vary"] = append(h["Vary"], name)
}

// makePrivate lets only the client's own cache keep an answer: it withdraws whatever the backend permits shared caches. In the same pass
// over the headers it removes what scrub does.
func makePrivate(h http.Header) {
	for name := range h {
		if isOurs(name) || isSharedCacheControl(name) {
			delete(h, name)
		}
	}
	if c := h["Cache-Control"]; len(c) == 1 && c[0] == "private" {
		return
	}
	directives := strings.Join(h["Cache-Control"], ", ")
	if strings.Contains(directives, `"`) {
		// Field lists such as private="Set-Cookie, X" hold commas and protect only those fields.
		h["Cache-Control"] = []string{"private, no-cache"}
		return
	}
	kept := ""
	for directive := range strings.SplitSeq(directives, ",") {
		directive = strings.TrimSpace(directive)
		name, _, _ := strings.Cut(directive, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "", "public", "s-maxage", "proxy-revalidate", "private":
		default:
			kept += ", " + directive
		}
	}
	h["Cache-Control"] = []string{"private" + kept}
}
