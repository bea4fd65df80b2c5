package cli

// This file has wallets, configurations and flags that cannot be used: each message says what to do.

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnusableWalletsSayWhatToDo(t *testing.T) {
	s := newShop(t)
	write := func(name, text string) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600) }
	}
	for name, test := range map[string]struct {
		spoil func(dir string) error
		said  string
	}{
		"no JSON":         {write(configFile, "x"), "this is no JSON, from byte 1 on"},
		"half of it":      {write(configFile, "{"), "the JSON is not complete: write {}, or remove the file"},
		"nothing":         {write(configFile, ""), "the JSON is not complete: write {}, or remove the file"},
		"a list":          {write(configFile, "[]"), "this has to be a JSON object, {…}: it may have uplink,"},
		"another field":   {write(configFile, `{"max":1}`), `unknown field "max": it may have uplink,`},
		"a number":        {write(configFile, `{"uplink":1}`), "config.json: uplink has to be a text in quotes, not a number"},
		"a negative cap":  {write(configFile, `{"max_per_day":-1}`), "positive whole number"},
		"a cap of 0":      {write(configFile, `{"max_per_day":0}`), "without the field there is none"},
		"a cap behind it": {write(configFile, `{} {"max_per_day":5}`), "something stands behind the end of the JSON object: remove it, or put it inside"},
		"damaged hosts":   {write("hosts.json", "{"), "put a copy back, or remove it"},
		"a newer journal": {write("spending.jsonl", `{"kind":"refunded"}`+"\n"), "use the newer one that wrote it"},
		"a directory": {func(dir string) error {
			secret := filepath.Join(dir, "client.secret")
			return errors.Join(os.RemoveAll(secret), os.Mkdir(secret, 0o700))
		}, "--wallet or PAYDOOR_WALLET names another directory"},
		"no directory": {func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600))
		}, "--wallet or PAYDOOR_WALLET names another directory"},
	} {
		t.Run(name, func(t *testing.T) {
			term := newTerminal(t)
			term.dir = filepath.Join(term.dir, "wallet")
			if err := errors.Join(os.Mkdir(term.dir, 0o700), test.spoil(term.dir)); err != nil {
				t.Fatal(err)
			}
			if got := term.types("fetch", "--max", "100", s.URL+"/a"); got.status != StatusMistake || !strings.Contains(got.stderr, test.said) || strings.Contains(got.stderr, "Go ") {
				t.Errorf("fetch: %+v", got)
			}
			if got := term.types("wallet"); got.status != StatusMistake || !strings.Contains(got.stderr, test.said) {
				t.Errorf("wallet: %+v", got)
			}
		})
	}
	if len(s.seen) != 0 {
		t.Errorf("the server saw %q", s.seen)
	}
}

// TestFullDisk pays nothing, and says what to do.
func TestFullDisk(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("there is no ", full)
	}
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	if got := term.types("wallet"); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	journal := filepath.Join(term.dir, "spending.jsonl")
	if err := errors.Join(os.Remove(journal), os.Symlink(full, journal)); err != nil {
		t.Fatal(err)
	}
	if got := term.types("fetch", "--max", "100", s.URL+"/a"); got.status != StatusMistake || !strings.Contains(got.stderr, "no space left on device") || !strings.Contains(got.stderr, ": make room on that disk\n") {
		t.Errorf("%+v", got)
	}
	if len(s.till.balances) != 0 {
		t.Errorf("the server has got %v", s.till.balances)
	}
}

// TestBalanceThatCannotBeKept is no failure: who ran the command again for it would pay again.
func TestBalanceThatCannotBeKept(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	hosts, answers := filepath.Join(term.dir, "hosts.json"), 0
	s.asks = func(pay string) string {
		if answers++; answers == 2 { // the paid one
			if err := errors.Join(os.Remove(hosts), os.Mkdir(hosts, 0o700)); err != nil {
				t.Error(err)
			}
		}
		return pay
	}
	got := term.types("fetch", "--max", "100", s.URL+"/a")
	if got.status != 0 || got.stdout != "worth 10\n" || !strings.Contains(got.stderr, "that is all that went wrong: every answer is complete\n") {
		t.Errorf("%+v", got)
	}
}

// TestEmptyMaximum is that of a variable that is not set: it does not stand for the maximum of before.
func TestEmptyMaximum(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	for _, test := range []struct {
		max    string
		status int
	}{{"10", 0}, {"", StatusMistake}, {"0", StatusMistake}, {"10", 0}} {
		if got := term.types("fetch", "--max", test.max, s.URL+"/a"); got.status != test.status || test.status != 0 && !strings.Contains(got.stderr, "--max takes a positive whole number") {
			t.Errorf("--max %q: %+v", test.max, got)
		}
	}
}

func TestMaximumNamesAHost(t *testing.T) {
	for host, said := range map[string]string{
		"api.example.com": "", "localhost": "", "127.0.0.1": "", "::1": "",
		"":                          "alone, without scheme, port and path: api.example.com",
		"https://api.example.com/x": "alone, without scheme, port and path: api.example.com",
		"api.example.com:8080":      "alone, without scheme, port and path",
		"api.example.com/path":      "alone, without scheme, port and path",
		"user@api.example.com":      "alone, without scheme, port and path",
		"[::1]":                     "alone, without scheme, port and path",
		"a b":                       "alone, without scheme, port and path",
	} {
		got := newTerminal(t).types("wallet", "max", host, "5")
		if said == "" && got.status != 0 || said != "" && (got.status != StatusMistake || !strings.Contains(got.stderr, said)) {
			t.Errorf("%q: %+v", host, got)
		}
	}
}

// TestHeadersNobodyCanSend are refused before anything is sent, and not repeated.
func TestHeadersNobodyCanSend(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	for _, line := range []string{"a\nb: c", "a b: c", "a(b: c", "ä: c", ": c", "a\x00: c", "c"} {
		if got := term.types("fetch", "-H", line, s.URL+"/free"); got.status != StatusMistake || got.stderr != "paydoor: "+errHeader.Error()+"\n" {
			t.Errorf("%q: %+v", line, got)
		}
	}
	if got := term.types("fetch", "-H", "X-1_a.b!: c", s.URL+"/free"); got.status != 0 || len(s.seen) != 1 {
		t.Errorf("%+v, %q", got, s.seen)
	}
}

// TestOwnMachineInCapitals is paid with play money as well.
func TestOwnMachineInCapitals(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	if got := term.types("fetch", "--max", "10", strings.Replace(s.URL, "127.0.0.1", "LOCALHOST", 1)+"/a"); got.status != 0 || got.stdout != "worth 10\n" {
		t.Errorf("%+v", got)
	}
}
