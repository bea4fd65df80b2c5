package paywall

// This file makes sure that the path that is priced is the path that the backend serves: a path that two programs could
// read differently is refused, and prices are looked up more loosely than freedom is.

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// requestPath is the decoded path; an absolute-form target without one means the root.
func requestPath(r *http.Request) string {
	if r.URL.Path == "" && r.Method != http.MethodConnect {
		return "/"
	}
	return r.URL.Path
}

// checkPath returns why the path cannot be priced, or nil. What passes is forwarded as it came.
func checkPath(r *http.Request) *problem {
	path := requestPath(r)
	if r.URL.Opaque != "" {
		// "GET x:http://host/paid" has an empty path here, but proxies send what follows the colon, and it is an absolute form.
		return badPath("a scheme without a host")
	}
	if strings.Contains(r.URL.RawPath, "%2f") || strings.Contains(r.URL.RawPath, "%2F") {
		return badPath("an encoded slash")
	}
	if why := ambiguity(path); why != "" {
		return badPath(why)
	}
	return nil
}

// ambiguity names what in a decoded path one program may read differently than another, or is empty.
func ambiguity(path string) string {
	if path == "" || path[0] != '/' {
		return "no leading slash"
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\':
			return "a backslash"
		case c < 0x20 || c == 0x7f:
			return "a control character"
		case c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]):
			return "a doubly encoded character"
		case c == '/' && i+1 < len(path):
			if path[i+1] == '/' {
				return "an empty segment (//)"
			}
			if path[i+1] == '.' && dotSegment(path[i+1:]) {
				return "a dot segment"
			}
		}
	}
	if !utf8.ValidString(path) {
		return "bytes that are not UTF-8"
	}
	return ""
}

// dotSegment says whether the first segment of rest is "." or "..", with or without path parameters ("..;x") and trailing
// spaces, which file systems of Windows drop.
func dotSegment(rest string) bool {
	if end := strings.IndexAny(rest, "/;"); end >= 0 {
		rest = rest[:end]
	}
	rest = strings.TrimRight(rest, " ")
	return rest == "." || rest == ".."
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// foldPath maps paths that some backends serve alike to one key: letters lose their case, segments their parameters (";x") and
// trailing dots and spaces, the path its trailing slash. Price rules compare folded paths, so none of these dodges a price; free
// rules never do. The root is "". It allocates only for what it may change.
func foldPath(path string) string {
	if !foldable(path) {
		return path
	}
	folded := make([]byte, 0, len(path))
	for segment := range strings.SplitSeq(path, "/") {
		if i := strings.IndexByte(segment, ';'); i >= 0 {
			segment = segment[:i]
		}
		segment = strings.TrimRight(segment, ". ")
		if segment == "" {
			continue
		}
		folded = append(folded, '/')
		for _, c := range segment {
			folded = utf8.AppendRune(folded, lower(c))
		}
	}
	return string(folded)
}

func foldable(path string) bool {
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case 'A' <= c && c <= 'Z', c == ';', c >= utf8.RuneSelf:
			return true
		case c == '/' || c == '.' || c == ' ':
			if i+1 == len(path) || (c != '/' && path[i+1] == '/') {
				return true
			}
		}
	}
	return false
}

// lower folds through upper case, because some letters beyond ASCII have an ASCII letter on the other side: a program that
// ignores case takes the Kelvin sign for k, the long s for s and the dotless i for i.
func lower(c rune) rune {
	if c < utf8.RuneSelf {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}
	return unicode.ToLower(unicode.ToUpper(c))
}
