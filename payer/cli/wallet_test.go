package cli

// This file types wallet after some payments.

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	moments = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	ids     = regexp.MustCompile(`[0-9a-f]{16}`)
	starts  = regexp.MustCompile(`\S{4}…`)
)

// steady takes out of what is printed what is another time and again.
func steady(text string) string {
	return starts.ReplaceAllString(ids.ReplaceAllString(moments.ReplaceAllString(text, "2026-01-02T03:04:05Z"), "0123456789abcdef"), "abcd…")
}

func TestWallet(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	if got := term.types("wallet"); got.status != 0 || !strings.HasPrefix(got.stdout, "Nothing was paid yet") {
		t.Errorf("got %+v", got)
	}
	if err := os.WriteFile(filepath.Join(term.dir, configFile), []byte(`{"max_per_host": 1000, "max_per_day": "25"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 0, StatusCap} {
		if got := term.types("fetch", "-S", "-s", "--max", "10", s.URL+"/a"); got.status != want || want != 0 && !strings.Contains(got.stderr, "the cap per day of 25, 20 are spent") {
			t.Errorf("request %d: %+v", i, got)
		}
	}
	tests := []struct{ args, want string }{
		{"wallet", `HOST       TOKEN  BALANCE  SPENT  PAYMENTS  LAST                  MAX
127.0.0.1  abcd…  0        20     2         2026-01-02T03:04:05Z  10

max per request  -
max per host     1000
max per day      25  20 spent today
`},
		{"wallet --json", `{
  "hosts": [
    {
      "host": "127.0.0.1",
      "token": "abcd…",
      "balance": "0",
      "spent": "20",
      "payments": 2,
      "last": "2026-01-02T03:04:05Z",
      "max": "10"
    }
  ],
  "spent_today": "20",
  "max_per_host": "1000",
  "max_per_day": "25"
}
`},
		{"wallet spending", `AT                    HOST       AMOUNT  STATE
2026-01-02T03:04:05Z  127.0.0.1  10      paid
2026-01-02T03:04:05Z  127.0.0.1  10      paid
`},
		{"wallet spending --host other.example", "There are no payments.\n"},
		{"wallet export", strings.Repeat(`{"at":"2026-01-02T03:04:05Z","host":"127.0.0.1","amount":"10","state":"paid","id":"0123456789abcdef","payments":1}`+"\n", 2)},
		{"wallet export --format csv", "at,host,amount,state,id,payments,until\n" + strings.Repeat("2026-01-02T03:04:05Z,127.0.0.1,10,paid,0123456789abcdef,1,\n", 2)},
		{"wallet max other.example 7", ""},
	}
	for _, test := range tests {
		got := term.types(strings.Fields(test.args)...)
		if diff := cmp.Diff(test.want, steady(got.stdout)); diff != "" || got.status != 0 || got.stderr != "" {
			t.Errorf("%s: status %d, %s\n%s", test.args, got.status, got.stderr, diff)
		}
		if token := s.heads[0].Get("Pay-Token"); strings.Contains(got.stdout, token[4:]) {
			t.Errorf("%s shows a token", test.args)
		}
	}
	if got := term.types("wallet"); !strings.Contains(got.stdout, "\nother.example  ") {
		t.Errorf("the maximum is forgotten: %s", got.stdout)
	}
	file := filepath.Join(t.TempDir(), "export.csv")
	for i, want := range []int{0, StatusMistake} { // it is not written over
		if got := term.types("wallet", "export", "--format", "csv", "--output", file); got.status != want {
			t.Errorf("export %d: %+v", i, got)
		}
	}
}

// TestWalletOfOldPayments prints sums, which count as what they are made of.
func TestWalletOfOldPayments(t *testing.T) {
	term := newTerminal(t)
	journal := `{"at":"2025-02-01T00:00:00Z","kind":"summed","host":"a.example","amount":"20","until":"2025-02-28T12:00:00Z","count":2}
{"at":"2026-11-26T02:00:00Z","kind":"paid","id":"0000000000000009","host":"b.example","amount":"10"}
{"at":"2026-11-26T02:00:01Z","kind":"reserved","id":"000000000000000a","host":"b.example","amount":"5"}
`
	if made := term.types("wallet"); made.status != 0 { // what has paid has a secret
		t.Fatal(made)
	}
	if err := os.WriteFile(filepath.Join(term.dir, "spending.jsonl"), []byte(journal), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"wallet spending": `AT                    HOST       AMOUNT  STATE
2025-02-01T00:00:00Z  a.example  20      paid, 2 payments until 2025-02-28T12:00:00Z
2026-11-26T02:00:00Z  b.example  10      paid
2026-11-26T02:00:01Z  b.example  5       open
`,
		"wallet export --format csv": `at,host,amount,state,id,payments,until
2025-02-01T00:00:00Z,a.example,20,paid,,2,2025-02-28T12:00:00Z
2026-11-26T02:00:00Z,b.example,10,paid,0000000000000009,1,
2026-11-26T02:00:01Z,b.example,5,open,000000000000000a,1,
`,
		"wallet export": `{"at":"2025-02-01T00:00:00Z","host":"a.example","amount":"20","state":"paid","payments":2,"until":"2025-02-28T12:00:00Z"}
{"at":"2026-11-26T02:00:00Z","host":"b.example","amount":"10","state":"paid","id":"0000000000000009","payments":1}
{"at":"2026-11-26T02:00:01Z","host":"b.example","amount":"5","state":"open","id":"000000000000000a","payments":1}
`,
	} {
		got := term.types(strings.Fields(args)...)
		if diff := cmp.Diff(want, got.stdout); diff != "" || got.status != 0 {
			t.Errorf("%s: %+v %s", args, got, diff)
		}
	}
	got := term.types("wallet")
	for _, want := range []string{"-        20     2         2025-02-28T12:00:00Z", "-        15     2         2026-11-26T02:00:01Z"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no %q in\n%s", want, got.stdout)
		}
	}
}

func TestConfigRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		config string
		mode   os.FileMode
		said   string
	}{
		"unknown setting": {`{"max": 5}`, 0o600, "unknown field"},
		"odd cap":         {`{"max_per_day": -1}`, 0o600, "whole number"},
		"rounded cap":     {`{"max_per_day": 1e3}`, 0o600, "whole number"},
		"open token":      {`{"uplink_token": "x"}`, 0o644, "chmod 600"},
		"open URL":        {`{"uplink": "btp+wss://a:b@c"}`, 0o644, "chmod 600"},
		"odd method":      {`{"method": "cash"}`, 0o644, "stream or psk2"},
	} {
		term := newTerminal(t)
		path := filepath.Join(term.dir, configFile)
		if err := os.WriteFile(path, []byte(test.config), test.mode); err != nil {
			t.Fatal(err)
		}
		if got := term.types("fetch", "http://127.0.0.1:1/"); got.status != StatusMistake || !strings.Contains(got.stderr, test.said) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
