package paywall

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/balances"
)

func TestTokenOfEveryLength(t *testing.T) {
	for n := range 91 {
		text := strings.Repeat("A", n)
		got, err := parseToken(text)
		valid := n >= 22 && n <= 86 && n%4 != 1
		if (err == nil) != valid {
			t.Errorf("%d characters: %v, want valid %t", n, err, valid)
		}
		if valid && got.text() != text {
			t.Errorf("%d characters: became %q", n, got.text())
		}
	}
}

func TestTokenSpelling(t *testing.T) {
	good := strings.Repeat("A", 21)
	for _, text := range []string{
		good + "B",           // unused bits set
		good + "+" + "A",     // standard alphabet
		good + "/" + "A",     //
		good + "A==",         // padding
		good + "A\n",         // line breaks, which decoders skip
		"\r\n" + good + "A",  //
		" " + good + "A",     //
		good + "A, " + good,  // two in one line
		good + "A\x00",       //
		good + "é",           //
		testToken + "\u2028", //
	} {
		if _, err := parseToken(text); err == nil {
			t.Errorf("%q is taken for a token", text)
		}
	}
}

func TestAccountDerivation(t *testing.T) {
	raw, err := base64.RawURLEncoding.DecodeString(testToken)
	if err != nil {
		t.Fatal(err)
	}
	for _, realm := range []string{"", "shop"} {
		want := balances.Account(sha256.Sum256(append([]byte("paydoor/token/v1"+realm+"\x00"), raw...)))
		got, err := AccountOf(testToken, realm)
		if err != nil || got != want {
			t.Errorf("realm %q: %x, %v; want %x", realm, got, err, want)
		}
	}
}

func TestBadTokenIsNeverCharged(t *testing.T) {
	for name, lines := range map[string][]string{
		"two lines":   {testToken, testToken},
		"empty":       {""},
		"short":       {"abc"},
		"comma":       {testToken + "," + testToken},
		"not base64":  {strings.Repeat("!", 43)},
		"odd bits":    {testToken[:42] + "1"},
		"a megabyte":  {strings.Repeat("A", 1<<20)},
		"with spaces": {testToken + " "},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{"GET", "OPTIONS"} {
				b := newBench(t)
				b.ledger.credit(t, testToken, 100)
				r := request(method, "/", "")
				r.Header["Pay-Token"] = lines
				w := b.do(func(http.ResponseWriter, *http.Request) error { panic("backend called") }, r)
				if w.Code != 400 || w.Header().Get("Pay") != "" || w.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s: %d %v", method, w.Code, w.Header())
				}
				if left, reserved := b.ledger.state(t, testToken); left != 100 || reserved != 0 {
					t.Errorf("%s: balance %v, reserved %v", method, left, reserved)
				}
			}
		})
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(testToken)
	f.Add(strings.Repeat("A", 22))
	f.Add(strings.Repeat("_", 86))
	f.Fuzz(func(t *testing.T, text string) {
		tok, err := parseToken(text)
		if err != nil {
			return
		}
		if tok.size < 16 || tok.size > 64 || tok.text() != text {
			t.Fatalf("%q: %d bytes, %q", text, tok.size, tok.text())
		}
		if raw, err := base64.RawURLEncoding.DecodeString(text); err != nil || !bytes.Equal(raw, tok.bytes[:tok.size]) {
			t.Fatalf("%q: %x, %v", text, raw, err)
		}
	})
}
