package ilphttp

import "testing"

func TestAuthenticate(t *testing.T) {
	c := NewCredentials(nil)
	c.Add("alice", "a:token+with/colon=")
	c.Add("bob", "bob's")
	c.Add("carol", "shared")
	c.Add("dave", "shared")
	c.Add("eve", "alice:sneaky")
	c.Add("frank", "")
	c.Add("gone", "gone's")
	c.Remove("gone")

	for name, test := range map[string]struct{ account, bearer, want string }{
		"named, bare":                   {"alice", "a:token+with/colon=", "alice"},
		"named, with the name":          {"alice", "alice:a:token+with/colon=", "alice"},
		"found by token":                {"", "a:token+with/colon=", "alice"},
		"found by name":                 {"", "bob:bob's", "bob"},
		"shared token, named":           {"dave", "shared", "dave"},
		"shared token, name in bearer":  {"", "carol:shared", "carol"},
		"shared token alone":            {"", "shared", ""},
		"another's token":               {"alice", "bob's", ""},
		"another's token, name in path": {"alice", "bob:bob's", ""},
		"another's name, own token":     {"", "alice:bob's", ""},
		"a token that looks like two":   {"", "alice:sneaky", "eve"},
		"the same on alice's path":      {"alice", "alice:sneaky", ""},
		"empty token, named":            {"frank", "", ""},
		"empty token, name in bearer":   {"", "frank:", ""},
		"empty":                         {"", "", ""},
		"unknown":                       {"nobody", "x", ""},
		"removed":                       {"", "gone's", ""},
		"removed, named":                {"gone", "gone's", ""},
		"prefix":                        {"", "bob", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := c.Authenticate(test.account, test.bearer)
			if string(got) != test.want || ok != (test.want != "") {
				t.Errorf("got %q %v, want %q", got, ok, test.want)
			}
		})
	}
}

func TestRemoveFreesASharedToken(t *testing.T) {
	c := NewCredentials(nil)
	c.Add("carol", "shared")
	c.Add("dave", "shared")
	c.Remove("carol")
	if got, ok := c.Authenticate("", "shared"); !ok || got != "dave" {
		t.Errorf("got %q %v, want dave", got, ok)
	}
}
