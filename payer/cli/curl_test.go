package cli

// This file types curl's flags where they are odd: several at once, stdin, redirects to other hosts, and connections that break.

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file makes a file with that content.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOddRequests shows what the server sees. FREE stands for a page that costs nothing.
func TestOddRequests(t *testing.T) {
	text, latin := file(t, "text.txt", "a\r\nb\n"), file(t, "latin", "caf\xe9\x00\n")
	tests := []struct {
		name  string
		args  []string
		stdin string
		seen  []string
		heads map[string]string // of the first
	}{
		{name: "data in the order of the line", args: []string{"--data-binary", "@" + text, "-d", "x", "--data-raw", "@y", "-d", "@" + text, "FREE"}, seen: []string{"POST /free a\r\nb\n&x&@y&ab"}},
		{name: "data of other encodings", args: []string{"-d", "@" + latin, "FREE"}, seen: []string{"POST /free caf\xe9"}},
		{name: "empty data", args: []string{"-d", "", "FREE"}, seen: []string{"POST /free"}, heads: map[string]string{"Content-Length": "0", "Content-Type": "application/x-www-form-urlencoded"}},
		{name: "stdin for two URLs", args: []string{"-d", "@-", "FREE/1", "FREE/2"}, stdin: "typed\n", seen: []string{"POST /free/1 typed", "POST /free/2 typed"}},
		{name: "stdin as it is for two URLs", args: []string{"--data-binary", "@-", "FREE/1", "FREE/2"}, stdin: "a\nb", seen: []string{"POST /free/1 a\nb", "POST /free/2 a\nb"}},
		{name: "password for two URLs", args: []string{"-u", "-", "FREE/1", "FREE/2"}, stdin: "me:w:d\n", seen: []string{"GET /free/1", "GET /free/2"}, heads: map[string]string{"Authorization": "Basic bWU6dzpk"}},
		{name: "GET with a body", args: []string{"-XGET", "-dx", "FREE"}, seen: []string{"GET /free x"}},
		{name: "the last method", args: []string{"-X", "PUT", "-X", "PATCH", "-d", "x", "FREE"}, seen: []string{"PATCH /free x"}},
		{name: "a header without a value", args: []string{"-H", "X-Empty;", "-H", "Accept:", "FREE"}, seen: []string{"GET /free"}, heads: map[string]string{"X-Empty": "", "Accept": "<none>"}},
		{name: "a URL in a query, no scheme", args: []string{"HOST/free?to=http://x.example/"}, seen: []string{"GET /free?to=http://x.example/"}},
		{name: "flags after the URL, together", args: []string{"FREE", "-sSfL", "-m0", "-HX-One:1"}, seen: []string{"GET /free"}, heads: map[string]string{"X-One": "1"}},
		{name: "no waiting for 100", args: []string{"-d", "@-", "-H", "Expect:", "FREE"}, stdin: strings.Repeat("x", waitFrom), seen: []string{"POST /free " + strings.Repeat("x", waitFrom)}, heads: map[string]string{"Expect": "<none>"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, term := newShop(t), newTerminal(t)
			term.stdin = test.stdin
			args := []string{"fetch"}
			for _, arg := range test.args {
				args = append(args, strings.NewReplacer("FREE", s.URL+"/free", "HOST", strings.TrimPrefix(s.URL, "http://")).Replace(arg))
			}
			if got := term.types(args...); got.status != 0 {
				t.Fatalf("status %d: %s", got.status, got.stderr)
			}
			trimmed := make([]string, len(test.seen)) // as the shop does
			for i, line := range test.seen {
				trimmed[i] = strings.TrimSpace(line)
			}
			if diff := cmp.Diff(trimmed, s.seen); diff != "" {
				t.Error(diff)
			}
			for name, want := range test.heads {
				got, there := s.heads[0][name]
				if want == "<none>" && there || want != "<none>" && strings.Join(got, ",") != want || want == "" && !there {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestOddForms(t *testing.T) {
	page := file(t, "a.html", "content")
	for field, want := range map[string]string{
		"f=@" + page: "; filename=\"a.html\"\r\nContent-Type: text/html; charset=utf-8\r\n\r\ncontent",
		"f=@" + page + ";filename=b.bin;type=a/b": "; filename=\"b.bin\"\r\nContent-Type: a/b\r\n\r\ncontent",
		"f=@" + page + ";type=a/b;filename=c;d":   "; filename=\"c;d\"\r\nContent-Type: a/b\r\n\r\ncontent",
		"f=<" + page:                              "\r\n\r\ncontent",
		"f=@-":                                    "; filename=\"-\"\r\nContent-Type: application/octet-stream\r\n\r\ntyped",
		"f=<-":                                    "\r\n\r\ntyped",
		"f=a=b;c":                                 "\r\n\r\na=b;c",
		"f=":                                      "\r\n\r\n",
	} {
		s, term := newShop(t), newTerminal(t)
		term.stdin = "typed"
		got := term.types("fetch", "-F", field, s.URL+"/free")
		if got.status != 0 || len(s.seen) != 1 {
			t.Errorf("%s: status %d, %q: %s", field, got.status, s.seen, got.stderr)
			continue
		}
		_, boundary, _ := strings.Cut(s.heads[0].Get("Content-Type"), "boundary=")
		if diff := cmp.Diff("POST /free --"+boundary+"\r\nContent-Disposition: form-data; name=\"f\""+want+"\r\n--"+boundary+"--", s.seen[0]); diff != "" {
			t.Errorf("%s: %s", field, diff)
		}
	}
}

// TestOddEndings has all that ends otherwise than one would like. Nothing is paid but what the table says.
func TestOddEndings(t *testing.T) {
	tests := []struct {
		name   string
		args   string
		stdin  string
		status int
		stdout string // its end
		said   string
		paid   int // times 10
	}{
		{name: "headers only, with a body", args: "-I -d x SHOP/a", status: StatusMistake, said: "-I asks for the headers only"},
		{name: "a long stdin for two URLs", args: "--data-binary @- SHOP/a SHOP/b", stdin: strings.Repeat("x", mostKept+1), status: StatusMistake, said: "put it into a file"},
		{name: "a long stdin, and no price before it", args: "--data-binary @- SHOP/mute", stdin: strings.Repeat("x", mostKept+1), status: StatusUnpaid, said: "the body can be sent only once"},
		{name: "a short stdin, and no price before it", args: "--data-binary @- SHOP/mute", stdin: "x", stdout: "worth 10\n", said: "paid 10", paid: 1},
		{name: "a directory", args: "--data-binary @/ SHOP/a", status: StatusMistake, said: "is a directory"},
		{name: "a form of nothing", args: "-F =x SHOP/a", status: StatusMistake, said: "-F takes"},
		{name: "no place for the output", args: "-o /nowhere/x SHOP/a", status: StatusMistake, said: "no such file or directory"},
		{name: "no place for the second output", args: "-o x -o /nowhere/x SHOP/a SHOP/b", status: StatusMistake, said: "no such file or directory"},
		{name: "a name that leads elsewhere", args: `-O SHOP/..%5Cx`, status: StatusMistake, said: "use -o"},
		{name: "headers of what is paid", args: "-I SHOP/a", stdout: "Pay-Balance: 0\r\nX-Method: HEAD\r\n\r\n", said: "paid 10", paid: 1},
		{name: "not modified", args: "SHOP/free/unchanged", status: StatusAnswer, said: "the answer is 304 Not Modified\n"},
		{name: "a body is sent again after 307", args: "-L -d x SHOP/free/kept", stdout: "worth 10\n", said: "paid 10", paid: 1},
		{name: "round in circles", args: "-L SHOP/free/loop", status: StatusNoAnswer, said: "more than 50 redirects"},
		{name: "round in circles that cost", args: "-L SHOP/circle", status: StatusCap, said: "of the cap per request of 10, 10 are spent", paid: 1},
		{name: "once round a circle that costs", args: "SHOP/circle", status: StatusAnswer, said: "paid 10 to", paid: 1},
		{name: "to another scheme", args: "-L SHOP/free/ftp", status: StatusNoAnswer, said: "unsupported protocol scheme"},
		{name: "reset in the middle", args: "SHOP/free/reset", status: StatusNoAnswer, stdout: "half", said: "paydoor: the answer broke off: the server closed the connection\n"},
		{name: "paid, and reset in the middle", args: "SHOP/reset", status: StatusNoAnswer, stdout: "worth 10\n", said: "paid 10 to 127.0.0.1, where 0 are left\npaydoor: the answer broke off", paid: 1},
		{name: "paid, and reset in the middle, JSON", args: "--json SHOP/reset", status: StatusNoAnswer, stdout: `"delivered":"10"}],"error":"the answer broke off: the server closed the connection","exit":2}` + "\n", said: "paid 10", paid: 1},
		{name: "no answer in time", args: "-m 0.1 SHOP/free/hanging", status: StatusNoAnswer, said: "the time of --max-time is over"},
		{name: "no answer in time, and then one", args: "-m 0.1 SHOP/free/hanging SHOP/a", status: StatusNoAnswer, stdout: "worth 10\n", said: "/free/hanging: the time of --max-time is over", paid: 1},
		{name: "to what is no URL", args: "-L SHOP/free/odd", status: StatusAnswer, stdout: "odd\n", said: "paydoor: the answer is 302 Found\n"},
		{name: "to what is no URL, and not followed", args: "SHOP/free/odd", status: StatusAnswer, stdout: "odd\n", said: "paydoor: the answer is 302 Found\n"},
		{name: "to what is no URL, with headers", args: "-v -i SHOP/free/odd", status: StatusAnswer, stdout: "\r\nlocation: /%zz?secret-word\r\n\r\nodd\n", said: "Location: SECRET\n"},
		{name: "another host has no maximum", args: "-L SHOP/free/elsewhere", status: StatusCap, said: "no maximum for a request to localhost was set"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, term := newShop(t), newTerminal(t)
			t.Chdir(t.TempDir())
			term.vars[nodeVariable], term.stdin = s.node.URL, test.stdin
			got := term.types(append([]string{"fetch", "--max", "10"}, strings.Fields(strings.ReplaceAll(test.args, "SHOP", s.URL))...)...)
			if got.status != test.status || !strings.HasSuffix(got.stdout, test.stdout) || (got.stdout == "") != (test.stdout == "") || !strings.Contains(got.stderr, test.said) {
				t.Errorf("status %d, stdout %.300q, stderr %q", got.status, got.stdout, got.stderr)
			}
			if strings.Contains(got.stderr, "secret-word") {
				t.Errorf("a secret is shown: %q", got.stderr)
			}
			var all []spendingLine
			if err := json.Unmarshal([]byte(term.types("wallet", "spending", "--json").stdout), &all); err != nil || len(all) != test.paid {
				t.Errorf("the wallet has %+v, %v", all, err)
			}
			if test.status == StatusMistake && len(s.seen) > 0 {
				t.Errorf("the server saw %q", s.seen)
			}
			if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
				t.Errorf("%v are left, %v", left, err)
			}
		})
	}
}

// TestRedirectToAnotherHost pays that host by its own token and under its own maximum, and tells it nothing of the first.
func TestRedirectToAnotherHost(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	fetch := []string{"fetch", "-v", "-L", "--max", "10", "-u", "me:basic-word", "-H", "Cookie: c=cookie-word", s.URL + "/free/elsewhere?q=query-word"}
	for most, want := range map[string]int{"9": StatusCap, "10": 0} {
		s.heads = nil
		if got := term.types("wallet", "max", "localhost", most); got.status != 0 {
			t.Fatal(got)
		}
		got := term.types(fetch...)
		if got.status != want || want != 0 && !strings.Contains(got.stderr, "localhost costs 10, and of the cap per request of 9") {
			t.Errorf("with a maximum of %s: %+v", most, got)
		}
		token := s.heads[0].Get("Pay-Token")
		for i, h := range s.heads {
			if i == 0 {
				continue
			}
			for _, name := range []string{"Authorization", "Cookie", "Referer"} {
				if h.Get(name) != "" {
					t.Errorf("request %d has %s: %s", i, name, h.Get(name))
				}
			}
			if other := h.Get("Pay-Token"); other == token || other == "" {
				t.Errorf("request %d has the token of another host", i)
			}
		}
		for _, secret := range []string{"basic-word", "bWU6", "cookie-word", "query-word", "location-word", token[4:]} {
			if strings.Contains(got.stderr, secret) {
				t.Errorf("%q is shown:\n%s", secret, got.stderr)
			}
		}
	}
	got := term.types("wallet", "spending")
	if strings.Count(got.stdout, "localhost") != 1 || strings.Contains(got.stdout, "127.0.0.1") {
		t.Errorf("the wallet has %s", got.stdout)
	}
}

// sites are servers by their names, and what they saw.
type sites struct {
	redirects map[string]string // from a URL to the next
	seen      map[string]http.Header
}

func (s *sites) RoundTrip(r *http.Request) (*http.Response, error) {
	s.seen[r.URL.Host] = r.Header.Clone()
	answer := &http.Response{StatusCode: 200, Status: "200 OK", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}
	if next := s.redirects[r.URL.String()]; next != "" {
		answer.StatusCode, answer.Status = 302, "302 Found"
		answer.Header.Set("Location", next)
	}
	return answer, nil
}

// TestRedirectToAHostBelow is to a name that ends in that of the first: anybody may have it, on a site where users have hosts. Go's client takes it
// for the same one.
func TestRedirectToAHostBelow(t *testing.T) {
	s, term := &sites{redirects: map[string]string{
		"https://shop.example/a": "https://shop.example:8443/b", "https://shop.example:8443/b": "https://a.shop.example/c",
	}, seen: map[string]http.Header{}}, newTerminal(t)
	term.base = s
	got := term.types("fetch", "-L", "-u", "me:word", "-H", "Cookie: c=word", "-H", "Proxy-Authorization: word", "-H", "X-Own: kept", "https://shop.example/a")
	if got.status != 0 {
		t.Fatalf("%+v", got)
	}
	for host, first := range map[string]bool{"shop.example": true, "shop.example:8443": true, "a.shop.example": false} {
		for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
			if (s.seen[host].Get(name) != "") != first {
				t.Errorf("%s of %s: %q", name, host, s.seen[host].Get(name))
			}
		}
		if s.seen[host].Get("X-Own") != "kept" {
			t.Errorf("%s got %v", host, s.seen[host])
		}
	}
}

// TestOutputs writes several URLs to files and stdout, over what is there, and shows bars on the way.
func TestOutputs(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	t.Chdir(t.TempDir())
	term.vars[nodeVariable], term.tty = s.node.URL, true
	if err := os.WriteFile("one", []byte("something longer than what comes"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := term.types("fetch", "--max", "10", "--data-binary", "@"+file(t, "big", strings.Repeat("x", waitFrom)), "-o", "one", "-o", "two", s.URL+"/a", s.URL+"/free/gone", s.URL+"/b")
	if got.status != StatusAnswer || got.stdout != "worth 10\n" {
		t.Errorf("status %d, %q", got.status, got.stdout)
	}
	for _, bar := range []string{"\r\x1b[Kpaying 127.0.0.1 [", "\r\x1b[Ksending [#", "\r\x1b[Kreceiving [#"} {
		if !strings.Contains(got.stderr, bar) {
			t.Errorf("no %q in %q", bar, got.stderr)
		}
	}
	for name, want := range map[string]string{"one": "worth 10\n", "two": "gone\n"} {
		if b, err := os.ReadFile(name); err != nil || string(b) != want {
			t.Errorf("%s has %q, %v", name, b, err)
		}
	}
	if got := term.types("fetch", "-s", "-O", s.URL+"/free/x", s.URL+"/free/y?z"); got.status != 0 || got.stdout+got.stderr != "" {
		t.Errorf("got %+v", got)
	}
	if got := term.types("fetch", "-sf", "-o", "z", s.URL+"/free/gone"); got.status != StatusAnswer || got.stdout+got.stderr != "" {
		t.Errorf("got %+v", got)
	}
	all, err := filepath.Glob("*")
	if diff := cmp.Diff([]string{"one", "two", "x", "y"}, all); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestOutputThroughALink writes to where a link leads, also if nothing is there yet, and leaves the link.
func TestOutputThroughALink(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	t.Chdir(t.TempDir())
	if err := os.Symlink("target", "link"); err != nil {
		t.Skip(err)
	}
	for _, test := range []struct {
		page   string
		status int
		want   []string
	}{{"/a", StatusUnpaid, []string{"link"}}, {"/free", 0, []string{"link", "target"}}} {
		got := term.types("fetch", "-o", "link", s.URL+test.page)
		if to, err := os.Readlink("link"); got.status != test.status || err != nil || to != "target" {
			t.Errorf("%+v, and the link leads to %q, %v", got, to, err)
		}
		entries, err := os.ReadDir(".")
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		if diff := cmp.Diff(test.want, names); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	if b, err := os.ReadFile("target"); err != nil || string(b) != "free\n" {
		t.Errorf("%q, %v", b, err)
	}
}
