package paywall

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode"
)

func TestAmbiguousPathsAreRefused(t *testing.T) {
	for _, target := range []string{
		"//", "//a", "/a//b", "/a//", "/.", "/..", "/./a", "/a/.", "/a/..", "/a/../b", "/%2e%2e/a", "/a/%2E/b", "/a/.%2e",
		"/a%2fb", "/a%2Fb", "/a%5cb", `/a\b`, "/a%00", "/a%0d%0ab", "/a%7f", "/%252e%252e/a", "/a%252fb", "/a%255cb",
		"http:http://host/a", "x:http://host/a", "x:a",
		"/a/..%20/b", "/a/.%20%20/b", "/a/..%20;x/b", "/..%20",
		"/a/..;/b", "/a/..;x=1/b", "/.;/b", "/%c0%af", "/a%ff", "/%e0%80%af",
	} {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		b := newBench(t, Rule{Path: "/*", Free: true})
		w := b.do(answer(200), &http.Request{Method: "GET", URL: u, Header: http.Header{}, Body: http.NoBody})
		if w.Code != 400 || !strings.Contains(w.Body.String(), "The path contains") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestPlainPathsArePriced(t *testing.T) {
	for _, target := range []string{
		"/", "/a", "/a/", "/a/b.c", "/...", "/a/...", "/.well-known/pay", "/a/.hidden", "/a%20b", "/caf%C3%A9", "/100%25", "/a;b=c", "/a:b@c",
		"/a%3Fb", "/a%23b", "/%E2%9C%93", "http://host", "http://host/a",
	} {
		b := newBench(t)
		if w := b.do(answer(200), request("GET", target, testToken)); w.Code != 402 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestConnectNeedsAPath(t *testing.T) {
	r := httptest.NewRequest("CONNECT", "/", nil)
	r.URL = &url.URL{Host: "inside:22"}
	if w := newBench(t).do(answer(200), r); w.Code != 400 {
		t.Errorf("%d", w.Code)
	}
}

func TestFoldPath(t *testing.T) {
	for in, want := range map[string]string{
		"/": "", "/a": "/a", "/A/b/": "/a/b", "/a;x/b;y": "/a/b", "/a./b. ": "/a/b", "/a/;x/b": "/a/b", "/...": "", "/.a": "/.a",
		"/ÄÖ": "/äö", "/a b": "/a b", "/boo\u212a": "/book", "/\u017fecret": "/secret", "/pa\u0131d/\u0130": "/paid/i", "/straße": "/straße",
	} {
		if got := foldPath(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A second spelling of a path never lowers its price, whatever letters it is made of.
func TestEveryLetterFoldsOnce(t *testing.T) {
	for c := rune(1); c <= unicode.MaxRune; c++ {
		if once := lower(c); lower(once) != once || lower(unicode.ToUpper(c)) != once || lower(unicode.ToLower(c)) != once {
			t.Errorf("%U folds to %U, then %U; its upper case to %U, its lower case to %U", c, once, lower(once), lower(unicode.ToUpper(c)), lower(unicode.ToLower(c)))
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "/%2e", "/a;b/c", "/A.", "/a%252f", "/a b/", "/..;/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Path == "" {
			return
		}
		r := &http.Request{Method: "GET", URL: u}
		if checkPath(r) != nil {
			return
		}
		// What passes reads the same for a program that cleans paths, and for one that decodes once more.
		if clean := path.Clean(u.Path); clean != u.Path && clean+"/" != u.Path {
			t.Fatalf("%q is %q when cleaned", u.Path, clean)
		}
		if again, err := url.PathUnescape(u.Path); err == nil && again != u.Path {
			t.Fatalf("%q is %q when decoded again", u.Path, again)
		}
		// And for one that splits before decoding.
		if strings.Count(u.EscapedPath(), "/") != strings.Count(u.Path, "/") {
			t.Fatalf("%q has other segments than %q", u.EscapedPath(), u.Path)
		}
		folded := foldPath(u.Path)
		if foldPath(folded) != folded {
			t.Fatalf("folding %q twice: %q, %q", u.Path, folded, foldPath(folded))
		}
		if folded != "" && foldPath(strings.ToUpper(folded)) != foldPath(strings.ToUpper(folded)+"/") {
			t.Fatalf("a slash after %q matters", folded)
		}
	})
}
