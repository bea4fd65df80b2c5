package cli

// This file types fetch: what the server sees, what is printed, what is paid, and how it ends.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFetchEndings is the table of exit statuses.
func TestFetchEndings(t *testing.T) {
	tests := []struct {
		name   string
		args   string // SHOP stands for the server
		node   bool   // there is a wallet with play money
		asks   func(string) string
		status int
		stdout string
		said   string
		paid   string // by the wallet
	}{
		{name: "free", args: "SHOP/free", stdout: "free\n"},
		{name: "paid", args: "--max 10 SHOP/a", node: true, stdout: "worth 10\n", said: "paydoor: paid 10 to 127.0.0.1, where 0 are left\n", paid: "10"},
		{name: "paid by psk2", args: "--max 10 --method psk2 SHOP/a", node: true, stdout: "worth 10\n", said: "paid 10", paid: "10"},
		{name: "several", args: "--max 10 SHOP/a SHOP/free SHOP/b", node: true, stdout: "worth 10\nfree\nworth 10\n", said: "paid 10", paid: "20"},
		{name: "redirect not followed", args: "SHOP/free/away", status: StatusAnswer, stdout: "<a href=\"/paid\">Found</a>.\n\n", said: "302 Found: -L follows"},
		{name: "redirect followed", args: "-L --max 10 SHOP/free/away", node: true, stdout: "worth 10\n", said: "paid 10", paid: "10"},
		{name: "gone", args: "SHOP/free/gone", status: StatusAnswer, stdout: "gone\n", said: "paydoor: the answer is 410 Gone\n"},
		{name: "gone, failing", args: "-f SHOP/free/gone", status: StatusAnswer, said: "410"},
		{name: "gone, silent", args: "-s SHOP/free/gone", status: StatusAnswer, stdout: "gone\n"},
		{name: "gone, silent with errors", args: "-sS SHOP/free/gone", status: StatusAnswer, stdout: "gone\n", said: "410"},
		{name: "the first of several decides", args: "SHOP/free/gone http://127.0.0.1:1/", status: StatusAnswer, stdout: "gone\n", said: "nothing listens there"},
		{name: "broken off", args: "SHOP/free/broken", status: StatusNoAnswer, stdout: "half", said: "broke off"},
		{name: "nothing there", args: "http://127.0.0.1:1/", status: StatusNoAnswer, said: "nothing listens there"},
		{name: "no maximum", args: "SHOP/a", node: true, status: StatusCap, said: "say with --max how much"},
		{name: "above the maximum", args: "--max 9 SHOP/a", node: true, status: StatusCap, said: "the cap per request of 9"},
		{name: "absurd price", args: "--max 9 SHOP/a", node: true, asks: func(pay string) string { return strings.TrimSuffix(pay, " 10") + " 18446744073709551615" },
			status: StatusCap, said: "18446744073709551615, and of the cap per request of 9"},
		{name: "price that is none", args: "--max 9 SHOP/a", node: true, asks: func(pay string) string { return pay + "e9" }, status: StatusUnpaid, said: "unusable Pay header: price"},
		{name: "another method", args: "--max 9 SHOP/a", node: true, asks: func(pay string) string { return "lightning" + strings.TrimPrefix(pay, "interledger-stream") },
			status: StatusUnpaid, said: `the payment method "lightning"`},
		{name: "no Pay", args: "--max 9 SHOP/a", node: true, asks: func(string) string { return "" }, status: StatusUnpaid, said: "unusable Pay header"},
		{name: "no wallet", args: "--max 10 SHOP/a", status: StatusUnpaid, said: "start one with paydoor demo"},
		{name: "uplink without a token", args: "--max 10 --uplink https://connector.example SHOP/a", status: StatusUnpaid, said: "needs a token"},
		{name: "uplink that is none", args: "--uplink gopher://x SHOP/a", status: StatusMistake, said: "not a BTP URL"},
		{name: "token over plain http", args: "http://shop.example/", status: StatusMistake, said: "--plain-http"},
		{name: "no URL", args: "", status: StatusMistake, said: "write a URL"},
		{name: "odd URL", args: "ftp://shop.example", status: StatusMistake, said: "a URL is"},
		{name: "password in the URL", args: "http://me:hidden-word@127.0.0.1:1", status: StatusMistake, said: "with -u"},
		{name: "odd maximum", args: "--max 1e3 SHOP/a", status: StatusMistake, said: "whole number"},
		{name: "odd time", args: "-m -1 SHOP/a", status: StatusMistake, said: "positive time"},
		{name: "two bodies", args: "-d a -F a=b SHOP/free", status: StatusMistake, said: "two bodies"},
		{name: "no such file", args: "--data-binary @/nowhere SHOP/free", status: StatusMistake, said: "no such file"},
		{name: "payment header", args: "-H Pay-Token:x SHOP/free", status: StatusMistake, said: "made by fetch"},
		{name: "dry run", args: "--max 10 --dry-run SHOP/a", node: true, stdout: "price        10\nbalance      0\nwould pay    10\nwhich costs  10\n"},
		{name: "dry run above the maximum", args: "--max 9 --dry-run SHOP/a", node: true, status: StatusCap, stdout: "which costs  10\n", said: "--max is 9"},
		{name: "dry run without a maximum", args: "--dry-run SHOP/a", node: true, status: StatusCap, stdout: "which costs  10\n", said: "say with --max"},
		{name: "dry run of what is free", args: "--dry-run SHOP/free", stdout: "the server tells none\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, term := newShop(t), newTerminal(t)
			if test.node {
				term.vars[nodeVariable] = s.node.URL
			}
			if test.asks != nil {
				s.asks = test.asks
			}
			got := term.types(append([]string{"fetch"}, strings.Fields(strings.ReplaceAll(test.args, "SHOP", s.URL))...)...)
			if got.status != test.status || !strings.HasSuffix(got.stdout, test.stdout) || (got.stdout == "") != (test.stdout == "") || !strings.Contains(got.stderr, test.said) || test.said == "" && got.stderr != "" {
				t.Errorf("status %d, stdout %q, stderr %q", got.status, got.stdout, got.stderr)
			}
			if strings.Contains(got.stderr, "hidden-word") {
				t.Errorf("a secret is shown: %q", got.stderr)
			}
			var all []spendingLine
			if err := json.Unmarshal([]byte(term.types("wallet", "spending", "--json").stdout), &all); err != nil {
				t.Fatal(err)
			}
			if want := map[string]int{"": 0, "10": 1, "20": 2}[test.paid]; len(all) != want {
				t.Errorf("the wallet has %+v", all)
			}
			for _, s := range all {
				if s.Amount != "10" || s.State != "paid" || s.Host != "127.0.0.1" {
					t.Errorf("the wallet has %+v", s)
				}
			}
		})
	}
}

// TestFetchRequests shows what the server sees of the flags.
func TestFetchRequests(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body.txt")
	if err := os.WriteFile(file, []byte("two\r\nlines\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(t.TempDir(), "big.bin")
	if err := os.WriteFile(big, []byte(strings.Repeat("x", 100_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args  []string
		stdin string
		seen  []string
		heads map[string]string
	}{
		{args: nil, seen: []string{"GET /free"}, heads: map[string]string{"Accept": "*/*", "User-Agent": "paydoor", "Accept-Encoding": ""}},
		{args: []string{"-X", "DELETE"}, seen: []string{"DELETE /free"}},
		{args: []string{"-I"}, seen: []string{"HEAD /free"}},
		{args: []string{"-d", "a=1", "-d", "b=2", "--data-raw", "@c"}, seen: []string{"POST /free a=1&b=2&@c"}, heads: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		{args: []string{"-d", "@" + file}, seen: []string{"POST /free twolines"}},
		{args: []string{"--data-binary", "@" + file, "-X", "PUT", "-H", "Content-Type: text/plain"}, seen: []string{"PUT /free two\r\nlines"}, heads: map[string]string{"Content-Type": "text/plain"}},
		{args: []string{"--data-binary", "@-"}, stdin: "typed\n", seen: []string{"POST /free typed"}}, // the end of the line is there, and cut by the shop
		{args: []string{"--data-binary", "@" + big}, seen: []string{"POST /free " + strings.Repeat("x", 100_000)}, heads: map[string]string{"Expect": "100-continue"}},
		{args: []string{"-H", "X-One: 1", "-H", "X-One: 2", "-H", "User-Agent:", "-H", "Host: other.example"}, seen: []string{"GET /free"}, heads: map[string]string{"X-One": "1,2", "User-Agent": ""}},
		{args: []string{"-u", "me:word"}, seen: []string{"GET /free"}, heads: map[string]string{"Authorization": "Basic bWU6d29yZA=="}},
		{args: []string{"-u", "-"}, stdin: "me:word\n", seen: []string{"GET /free"}, heads: map[string]string{"Authorization": "Basic bWU6d29yZA=="}},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			s, term := newShop(t), newTerminal(t)
			term.stdin = test.stdin
			if got := term.types(append([]string{"fetch", s.URL + "/free"}, test.args...)...); got.status != 0 {
				t.Fatalf("status %d: %s", got.status, got.stderr)
			}
			if diff := cmp.Diff(test.seen, s.seen); diff != "" {
				t.Error(diff)
			}
			for name, want := range test.heads {
				if got := strings.Join(s.heads[0][name], ","); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if len(s.heads[0]["Pay-Token"]) != 1 {
				t.Error("there is no token")
			}
		})
	}
}

func TestFetchForm(t *testing.T) {
	file := filepath.Join(t.TempDir(), `a"b.txt`)
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, term := newShop(t), newTerminal(t)
	got := term.types("fetch", "-F", "name=value", "-F", "file=@"+file+";type=text/x-test", s.URL+"/free")
	if got.status != 0 || len(s.seen) != 1 {
		t.Fatalf("status %d, %q: %s", got.status, s.seen, got.stderr)
	}
	_, boundary, _ := strings.Cut(s.heads[0].Get("Content-Type"), "multipart/form-data; boundary=")
	want := "POST /free --" + boundary + "\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nvalue\r\n--" + boundary +
		"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a%22b.txt\"\r\nContent-Type: text/x-test\r\n\r\ncontent\r\n--" + boundary + "--"
	if diff := cmp.Diff(want, s.seen[0]); diff != "" || boundary == "" {
		t.Error(diff)
	}
}

// TestFetchPaysForBodiesOnce sends bodies that can and cannot be sent twice.
func TestFetchPaysForBodies(t *testing.T) {
	long := strings.Repeat("x", mostKept+1)
	for _, test := range []struct {
		stdin string
		args  []string
		seen  []string
	}{
		{"", []string{"-d", "twice"}, []string{"POST /a twice", "POST /a twice"}},
		{"short", []string{"--data-binary", "@-"}, []string{"POST /a short", "POST /a short"}},
		{long, []string{"--data-binary", "@-"}, []string{"OPTIONS /a", "POST /a " + long}},
		{long, []string{"-d", "@-"}, []string{"POST /a " + long, "POST /a " + long}}, // the shop reads it before it refuses
	} {
		s, term := newShop(t), newTerminal(t)
		term.vars[nodeVariable], term.stdin = s.node.URL, test.stdin
		got := term.types(append([]string{"fetch", "--max", "10", s.URL + "/a"}, test.args...)...)
		if got.status != 0 || got.stdout != "worth 10\n" || !cmp.Equal(s.seen, test.seen) {
			t.Errorf("status %d, %q, %.99q: %s", got.status, got.stdout, s.seen, got.stderr)
		}
	}
}

// TestFetchFiles writes bodies and headers to where they belong.
func TestFetchFiles(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	t.Chdir(t.TempDir())
	term.tty = true
	term.vars[nodeVariable] = s.node.URL
	got := term.types("fetch", "--max", "10", "-i", "-o", "one", "-o", "-", s.URL+"/a", s.URL+"/free")
	if got.status != 0 || !strings.HasPrefix(got.stdout, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n") || !strings.HasSuffix(got.stdout, "\r\n\r\nfree\n") {
		t.Errorf("status %d, %q", got.status, got.stdout)
	}
	if !strings.Contains(got.stderr, "\r\x1b[Kreceiving [##") || !strings.Contains(got.stderr, "paid 10") {
		t.Errorf("no bar on a terminal: %q", got.stderr)
	}
	if b, err := os.ReadFile("one"); err != nil || !strings.HasSuffix(string(b), "\r\n\r\nworth 10\n") {
		t.Errorf("the file has %q, %v", b, err)
	}
	if got := term.types("fetch", "-s", "-O", s.URL+"/free/name"); got.status != 0 || got.stdout+got.stderr != "" {
		t.Errorf("got %+v", got)
	}
	if b, err := os.ReadFile("name"); err != nil || string(b) != "free\n" {
		t.Errorf("the file has %q, %v", b, err)
	}
	for _, args := range [][]string{{"-O", s.URL}, {"-O", s.URL + "/free/.."}, {"-o", "a", "-o", "b", s.URL}, {"-o", "a", "-O", s.URL + "/x"}} {
		if got := term.types(append([]string{"fetch"}, args...)...); got.status == 0 {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

// TestFetchMasksSecrets looks for every secret in what is said with -v.
func TestFetchMasksSecrets(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	got := term.types("fetch", "-v", "--max", "10", "-u", "me:basic-word", "-H", "X-Api-Key: api-word", "-H", "Cookie: c=cookie-word", s.URL+"/a?q=query-word", s.URL+"/free")
	if got.status != 0 || !strings.Contains(got.stderr, "* paying 10 to 127.0.0.1 by interledger-stream, which costs 10\n") || !strings.Contains(got.stderr, "< HTTP/1.1 402 Payment Required\n") ||
		!strings.Contains(got.stderr, "< Pay: interledger-stream test.shop.") {
		t.Errorf("status %d: %s", got.status, got.stderr)
	}
	secrets := []string{"basic-word", "bWU6", "api-word", "cookie-word", "the-cookie", "query-word", s.heads[0].Get("Pay-Token"), s.heads[0].Get("Pay-Token")[4:]}
	for _, secret := range secrets {
		if strings.Contains(got.stderr, secret) {
			t.Errorf("%q is shown:\n%s", secret, got.stderr)
		}
	}
	if n := strings.Count(got.stderr, " SECRET 10\n"); n != 2 {
		t.Errorf("the secret of Pay is masked %d times:\n%s", n, got.stderr)
	}
}

func TestFetchJSON(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	got := term.types("fetch", "-s", "--json", "--max", "10", s.URL+"/a", s.URL+"/free/gone", "http://127.0.0.1:1/x")
	if got.status != StatusAnswer {
		t.Errorf("status %d: %s", got.status, got.stderr)
	}
	want := strings.ReplaceAll(`{"url":"SHOP/a","status":200,"content_type":"text/plain; charset=utf-8","balance":"0","payments":[{"host":"127.0.0.1","method":"interledger-stream","due":"10","sent":"10","delivered":"10"}],"body":"worth 10\n","exit":0}
{"url":"SHOP/free/gone","status":410,"content_type":"text/plain; charset=utf-8","payments":[],"body":"gone\n","error":"the answer is 410 Gone","exit":3}
{"url":"http://127.0.0.1:1/x","payments":[],"error":"the connection was refused: nothing listens there","exit":2}
`, "SHOP", s.URL)
	if diff := cmp.Diff(want, got.stdout); diff != "" {
		t.Error(diff)
	}
	got = term.types("fetch", "--json", "--dry-run", s.URL+"/a")
	want = `{"url":"` + s.URL + `/a","payments":[],"price":{"method":"interledger-stream","price":"10","balance":"0","due":"10","cost":"10"},"exit":0}` + "\n"
	if diff := cmp.Diff(want, got.stdout); diff != "" || got.status != 0 {
		t.Error(diff, got.status)
	}
}
