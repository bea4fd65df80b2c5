package paywall

// This file lets browser pages of chosen origins pay: preflights, and the headers without which a page cannot read Pay.

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS names the origins whose pages may use priced routes. Credentials are never allowed: the token is a header, not a cookie.
type CORS struct {
	// Origins are scheme and host, such as "https://app.example", or "*" for every page.
	Origins []string
	// MaxAge is how long a browser may remember a preflight's answer; 0 leaves it to the browser.
	MaxAge time.Duration
}

func (c *CORS) validate() error {
	if c == nil {
		return nil
	}
	if len(c.Origins) == 0 {
		return fmt.Errorf("paywall: cors names no origin: write such as https://app.example, or *")
	}
	for _, origin := range c.Origins {
		if err := checkOrigin(origin); err != nil {
			return err
		}
	}
	return nil
}

// checkOrigin refuses what no browser ever sends, and so would silently allow nobody: origins are compared as they come.
func checkOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	u, err := url.Parse(origin)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != u.Scheme+origin[len(u.Scheme):]:
		return fmt.Errorf("paywall: cors origin %q: write scheme and host only, such as https://app.example", origin)
	case strings.Contains(u.Host, "*"):
		return fmt.Errorf("paywall: cors origin %q: a * is for all origins or none: write each origin, or cors *", origin)
	case strings.HasPrefix(u.Scheme, "http") && strings.ToLower(origin) != origin:
		return fmt.Errorf("paywall: cors origin %q: browsers send it in small letters: write %s", origin, strings.ToLower(origin))
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return fmt.Errorf("paywall: cors origin %q: browsers leave the usual port out: write %s", origin, strings.TrimSuffix(origin, ":"+u.Port()))
	}
	return nil
}

// allowed returns the value of Access-Control-Allow-Origin for a request, or "" if its origin may not read the answer.
func (c *CORS) allowed(r *http.Request) string {
	origins := r.Header["Origin"]
	switch {
	case c == nil || len(origins) != 1:
		return ""
	case slices.Contains(c.Origins, "*"):
		return "*"
	case slices.Contains(c.Origins, origins[0]):
		return origins[0]
	}
	return ""
}

// share lets the page that sent r read the answer and our headers. If the backend already shares the answer with a page, only
// our headers are added to what it exposes.
func (c *CORS) share(h http.Header, r *http.Request) {
	if c != nil {
		varyBy(h, "Origin")
	}
	if origin := c.allowed(r); origin != "" {
		h["Access-Control-Allow-Origin"] = []string{origin}
	} else if len(h["Access-Control-Allow-Origin"]) == 0 {
		return
	}
	addListed(h, "Access-Control-Expose-Headers", "Pay", "Pay-Balance", "Pay-Token", "Pay-Asset")
}

// answer answers a preflight (Fetch standard, "CORS-preflight request"). An origin that is not allowed gets no permission,
// which is how a browser is told no.
func (c *CORS) answer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	varyBy(h, "Origin")
	if origin := c.allowed(r); origin != "" {
		h["Access-Control-Allow-Origin"] = []string{origin}
		if method := r.Header.Get("Access-Control-Request-Method"); isMethod(method) {
			h["Access-Control-Allow-Methods"] = []string{method}
		}
		h["Access-Control-Allow-Headers"] = []string{"Pay-Token, Pay-Accept"}
		for _, line := range r.Header["Access-Control-Request-Headers"] {
			for name := range strings.SplitSeq(line, ",") {
				if name = strings.TrimSpace(name); isHeaderName(name) {
					addListed(h, "Access-Control-Allow-Headers", name)
				}
			}
		}
		if c.MaxAge > 0 {
			h["Access-Control-Max-Age"] = []string{strconv.FormatInt(int64(c.MaxAge/time.Second), 10)}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// isHeaderName says whether s is a token of letters, digits, hyphens and underscores, the names that are worth reflecting.
func isHeaderName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
	})
}

// addListed adds names to a comma-separated header, unless they are listed.
func addListed(h http.Header, header string, names ...string) {
	list := strings.Join(h[header], ", ")
	for _, name := range names {
		listed := false
		for element := range strings.SplitSeq(list, ",") {
			listed = listed || strings.EqualFold(strings.TrimSpace(element), name)
		}
		switch {
		case listed:
		case list == "":
			list = name
		default:
			list += ", " + name
		}
	}
	h[header] = []string{list}
}

// preflightGate lets the permissions in a backend's answer to a preflight through, and adds Pay-Token to the headers that it allows. A
// backend that ignores the method answers with what others pay for, so everything else stays here.
type preflightGate struct{}

func (preflightGate) final(w *responseWriter, status int) bodyMode {
	h := w.Header()
	for name := range h {
		if !permission(name) {
			delete(h, name)
		}
	}
	if len(h["Access-Control-Allow-Origin"]) > 0 {
		addListed(h, "Access-Control-Allow-Headers", "Pay-Token", "Pay-Accept")
	}
	varyBy(h, "Pay-Token")
	makePrivate(h)
	if status == 0 {
		return passBody // the server will answer, with these headers
	}
	if status >= 200 && status < 300 {
		status = http.StatusNoContent
	}
	w.under.WriteHeader(status)
	return discardBody
}

// permission says whether a header of a preflight's answer is about what is allowed, or of the server that answers.
func permission(name string) bool {
	switch name {
	case "Allow", "Vary", "Server", "Date", "Via", "Alt-Svc", "Strict-Transport-Security":
		return true
	}
	return strings.HasPrefix(name, "Access-Control-")
}

func (preflightGate) after(h http.Header) { scrub(h) }
