package btp

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for text, want := range map[string]URL{
		"btp+ws://:hush@localhost:7768":            {"ws://localhost:7768", "", "hush"},
		"btp+wss://shop:hush@connector.example":    {"wss://connector.example", "shop", "hush"},
		"btp+wss://a+b:p%2Fw%00@h.example/x/y?z=1": {"wss://h.example/x/y?z=1", "a+b", "p%2Fw%00"},
		"btp+ws://u:t:o:k@h:1":                     {"ws://h:1", "u", "t:o:k"},
		"btp+ws://u:t@k@h:1":                       {"ws://h:1", "u", "t@k"},
		"wss://u:t@h":                              {"wss://h", "u", "t"},
		"btp+ws://u:abc+def==@[::1]:7768/p@q:r":    {"ws://[::1]:7768/p@q:r", "u", "abc+def=="},
		"btp+wss://u:t@h?token=1":                  {"wss://h?token=1", "u", "t"},
	} {
		got, err := ParseURL(text)
		if err != nil || got != want {
			t.Errorf("%s: %q %q %q, %v", text, got.Endpoint, got.User, got.Token, err)
		}
	}
	for _, text := range []string{
		"", "hush", "btp+ws://", "btp+ws://host", "btp+ws://hush@host", "btp+ws://u:@host", "btp+ws://u:hush@", "btp+ws://u:hush@:7768",
		"btp+http://u:hush@h", "http://u:hush@h", "btp+btp+ws://u:hush@h", "btp+ws:u:hush@h", "btp+ws://u:hu/sh@host",
		"btp+ws://u:hush@h#f", "btp+ws://u:hush\n@h", "btp+ws://u:hush@h:port", "btp+ws://u:hush@%zz", "BTP+WS://u:hush@h",
	} {
		if got, err := ParseURL(text); !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %q %q %q, %v", text, got.Endpoint, got.User, got.Token, err)
		}
	}
}

func TestURLHidesItsToken(t *testing.T) {
	u, err := ParseURL("btp+wss://who:hush@h.example/hush?hush=hush")
	if err != nil {
		t.Fatal(err)
	}
	u.Endpoint = "wss://h.example" // Endpoint itself is not a secret; String leaves out path and query all the same
	encoded, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(u), fmt.Sprintf("%+v %#v %q %s", u, u, u, &u), string(encoded)} {
		if strings.Contains(text, "hush") {
			t.Errorf("%s", text)
		}
	}
}

func TestExposed(t *testing.T) {
	for text, want := range map[string]bool{
		"btp+wss://:t@h.example": false, "btp+ws://:t@h.example": true, "btp+ws://:t@localhost:1": false, "btp+ws://:t@127.0.0.9": false,
		"btp+ws://:t@[::1]:1": false, "btp+ws://:t@10.0.0.1": true, "btp+ws://:t@[::ffff:127.0.0.1]": false, "btp+ws://:t@localhost.example": true,
	} {
		u, err := ParseURL(text)
		if err != nil || u.Exposed() != want {
			t.Errorf("%s: %v, %v", text, u.Exposed(), err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("btp+wss://shop:hush@connector.example:1/x?y=z")
	f.Add("btp+ws://u:t@k@[::1]:1")
	f.Add("btp+ws://u:p%2Fw@h")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURL(text)
		if err != nil {
			if !errors.Is(err, ErrURL) {
				t.Errorf("error %v", err)
			}
			return
		}
		// What was taken apart stands in the text in this order and without change, and nothing is left over but the separators.
		scheme, rest, _ := strings.Cut(u.Endpoint, "://")
		back := scheme + "://" + u.User + ":" + u.Token + "@" + rest
		if back != strings.TrimPrefix(text, "btp+") {
			t.Errorf("%q came back as %q", text, back)
		}
		if u.Token == "" || strings.ContainsAny(u.User+u.Token, "/?#\n\r") {
			t.Errorf("user %q, token %q", u.User, u.Token)
		}
		if s := u.String(); len(u.Token) > 3 && !strings.Contains(u.Endpoint, u.Token) && strings.Contains(s, u.Token) {
			t.Errorf("%q shows the token", s)
		}
	})
}
