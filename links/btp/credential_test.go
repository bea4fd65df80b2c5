package btp

import (
	"slices"
	"testing"

	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// Whatever is shown, it matches only what spells out the token, and no other account's name.
func FuzzCredential(f *testing.F) {
	f.Add("bob", "b+b", "secret", "bob", "b+b", "bob:secret")
	f.Add("bob", "", "a:b", "", "", "a:b")
	f.Add("bob", "", "a:b", "", "", "bob:a:b")
	f.Fuzz(func(t *testing.T, account, user, token, path, name, shownToken string) {
		c, s := newCredential(account, user, token), show(path, frames.Auth{Username: name, Token: shownToken})
		spellings := []string{token, account + ":" + token}
		names := []string{"", account}
		if user != "" {
			spellings, names = append(spellings, user+":"+token), append(names, user)
		}
		if want := slices.Contains(spellings, shownToken) && slices.Contains(names, name) && (path == "" || path == account); c.matches(&s) && !want {
			t.Errorf("%q %q %q is matched by %q %q %q", account, user, token, path, name, shownToken)
		}
	})
}
