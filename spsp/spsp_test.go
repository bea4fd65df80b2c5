package spsp

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAnswer(t *testing.T) {
	const secret = "//////////////////////////////////////////8=" // as JavaScript clients read it, and most others
	for receipts, want := range map[bool]string{
		false: `{"destination_account":"test.node.x","shared_secret":"` + secret + `"}` + "\n",
		true:  `{"destination_account":"test.node.x","shared_secret":"` + secret + `","receipts_enabled":true}` + "\n",
	} {
		a := Answer{Address: "test.node.x", Receipts: receipts}
		for i := range a.Secret {
			a.Secret[i] = 0xff
		}
		w := httptest.NewRecorder()
		a.Write(w)
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/spsp4+json" {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	}
}

func TestReadReceiptTerms(t *testing.T) {
	want := &ReceiptTerms{Nonce: [16]byte{0xff, 0xfb}, Secret: [32]byte{0xfe, 0xff}}
	std, raw := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	for _, test := range []struct {
		name           string
		nonces, secret []string
		want           *ReceiptTerms
		header         string
	}{
		{name: "none"},
		{"base64", []string{std(want.Nonce[:])}, []string{std(want.Secret[:])}, want, ""},
		{"base64url", []string{raw(want.Nonce[:])}, []string{raw(want.Secret[:])}, want, ""},
		{"no nonce", nil, []string{std(want.Secret[:])}, nil, "Receipt-Nonce"},
		{"no secret", []string{std(want.Nonce[:])}, nil, nil, "Receipt-Secret"},
		{"two nonces", []string{std(want.Nonce[:]), std(want.Nonce[:])}, []string{std(want.Secret[:])}, nil, "Receipt-Nonce"},
		{"two secrets", []string{std(want.Nonce[:])}, []string{std(want.Secret[:]), std(want.Secret[:])}, nil, "Receipt-Secret"},
		{"exchanged", []string{std(want.Secret[:])}, []string{std(want.Nonce[:])}, nil, "Receipt-Nonce"},
		{"short", []string{std(want.Nonce[1:])}, []string{std(want.Secret[:])}, nil, "Receipt-Nonce"},
		{"no base64", []string{"%%"}, []string{std(want.Secret[:])}, nil, "Receipt-Nonce"},
		{"empty", []string{""}, []string{""}, nil, "Receipt-Nonce"},
	} {
		h := http.Header{}
		for _, v := range test.nonces {
			h.Add("Receipt-Nonce", v)
		}
		for _, v := range test.secret {
			h.Add("Receipt-Secret", v)
		}
		got, err := ReadReceiptTerms(h)
		var wrong *HeaderError
		if errors.As(err, &wrong) != (test.header != "") || wrong != nil && wrong.Header != test.header {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.name, diff)
		}
	}
}

func FuzzReadReceiptTerms(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	f.Fuzz(func(t *testing.T, nonce, secret string) {
		terms, err := ReadReceiptTerms(http.Header{"Receipt-Nonce": {nonce}, "Receipt-Secret": {secret}})
		if (terms == nil) == (err == nil) {
			t.Errorf("%v, %v", terms, err)
		}
	})
}

func TestAskers(t *testing.T) {
	var a Askers
	now := time.Now()
	ask := func(remote string, n int) (allowed int) {
		for range n {
			if a.Allow(remote, now) {
				allowed++
			}
		}
		return allowed
	}
	for _, test := range []struct {
		remote string
		want   int
	}{
		{"192.0.2.1:1000", AsksAtOnce}, {"192.0.2.1:2000", 0}, {"192.0.2.1", 0}, {"[::ffff:192.0.2.1]:3", 0}, {"192.0.2.2", AsksAtOnce},
		{"[2001:db8::1]:1", AsksAtOnce}, {"[2001:db8::2%eth0]:1", 0}, {"2001:db8:0:1::2", AsksAtOnce},
		{"", AsksAtOnce}, {"a socket", 0},
	} {
		if got := ask(test.remote, AsksAtOnce+5); got != test.want {
			t.Errorf("%q asked %d times, want %d", test.remote, got, test.want)
		}
	}
	now = now.Add(time.Second)
	if got := ask("192.0.2.1:1000", 50); got != AsksPerSecond {
		t.Errorf("a second later: %d", got)
	}
}
