package btp_test

import (
	"fmt"
	"testing"

	"github.com/paydoor/paydoor/ilpcore/btp"
)

func TestParseAuth(t *testing.T) {
	auth := btp.Entry{Name: "auth"}
	username := btp.Entry{Name: "auth_username", ContentType: btp.ContentText, Data: []byte("alice")}
	token := btp.Entry{Name: "auth_token", ContentType: btp.ContentText, Data: []byte("tok")}
	tests := []struct {
		name    string
		kind    uint8
		entries []btp.Entry
		want    btp.Auth
		err     error
	}{
		{"stock client", btp.TypeMessage, []btp.Entry{auth, username, token}, btp.Auth{Username: "alice", Token: "tok"}, nil},
		{"no username", btp.TypeMessage, []btp.Entry{auth, token}, btp.Auth{Token: "tok"}, nil},
		{"more entries", btp.TypeMessage, []btp.Entry{auth, {Name: "flag"}, token, username}, btp.Auth{Username: "alice", Token: "tok"}, nil},
		{"empty token", btp.TypeMessage, []btp.Entry{auth, {Name: "auth_token"}}, btp.Auth{}, nil},
		{"no token", btp.TypeMessage, []btp.Entry{auth, username}, btp.Auth{}, btp.ErrNoToken},
		{"auth is not first", btp.TypeMessage, []btp.Entry{token, auth}, btp.Auth{}, btp.ErrNotAuth},
		{"no entries", btp.TypeMessage, nil, btp.Auth{}, btp.ErrNotAuth},
		{"a Response", btp.TypeResponse, []btp.Entry{auth, token}, btp.Auth{}, btp.ErrNotAuth},
	}
	for _, test := range tests {
		got, err := btp.ParseAuth(&btp.Frame{Type: test.kind, Entries: test.entries})
		if got != test.want || err != test.err {
			t.Errorf("%s: %q %q, %v", test.name, got.Username, got.Token, err)
		}
	}
}

func TestAuthIsNotPrinted(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, btp.Auth{Username: "alice", Token: "tok"}); s != "Auth(secret)" {
			t.Errorf("%s prints %q", verb, s)
		}
	}
}
