package ilpcore_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
	"pgregory.net/rapid"
)

// grammar is the regular expression of RFC 15, with one more test network than it names.
var grammar = regexp.MustCompile(`\A(?:g|private|example|peer|self|test[1-3]?|local)(?:[.][a-zA-Z0-9_~-]+)+\z`)

func drawAddress(t *rapid.T) string {
	return rapid.StringMatching(`(g|private|example|peer|self|test[1-3]?|local)([.][a-zA-Z0-9_~-]{1,9}){1,4}`).Draw(t, "address")
}

func TestParseAddress(t *testing.T) {
	valid := []string{
		"g.a", "private.a", "example.alice", "peer.config", "self.foo", "test.a", "test1.a", "test2.a", "test3.a", "local.a",
		"g.us-fed.ach.0.acmebank.swx0a0.acmecorp.sales.199~ipr.cdfa5e16-e759-4ba3-88f6-8b9dc83c1868.2", "test.a_b~c-D.9",
		"g." + strings.Repeat("a", 1021), "test.-", "peer.route.control",
	}
	for _, s := range valid {
		if a, err := ilpcore.ParseAddress(s); err != nil || a.String() != s || !a.Valid() {
			t.Errorf("%s: %q, %v", s, a, err)
		}
	}
	invalid := []string{
		"", ".", "g", "test", "g.", "test.", ".g.a", "g..a", "g.a.", "g.a..b", "G.a", "test4.a", "test12.a", "foo.a", "privat.a", "privatex.a",
		"g.a b", "g.a/b", "g.a+b", "g.ä", "g.a\n", "g.a=", " g.a", "g.*", "g." + strings.Repeat("a", 1022),
	}
	for _, s := range invalid {
		if a, err := ilpcore.ParseAddress(s); err != ilpcore.ErrAddress || a != "" {
			t.Errorf("%q: %q, %v", s, a, err)
		}
	}
}

func TestAddressSuffix(t *testing.T) {
	tests := []struct {
		address, dest, rest string
		ok                  bool
	}{
		{"test.gw", "test.gw", "", true},
		{"test.gw", "test.gw.a", "a", true},
		{"test.gw", "test.gw.a.b", "a.b", true},
		{"test.gw", "test.gwx", "", false},
		{"test.gw", "test.gwx.a", "", false},
		{"test.gw", "test.g", "", false},
		{"test.gw", "test.GW.a", "", false},
		{"test.gw", "", "", false},
		{"", "test.gw", "", false},
	}
	for _, test := range tests {
		rest, ok := ilpcore.Address(test.address).Suffix([]byte(test.dest))
		if string(rest) != test.rest || ok != test.ok {
			t.Errorf("%s of %s: %q %v", test.dest, test.address, rest, ok)
		}
	}
}

func TestAddressWith(t *testing.T) {
	a, err := ilpcore.Address("test.gw").With("alice")
	if err != nil || a != "test.gw.alice" || a.Scheme() != "test" {
		t.Errorf("%s, %v", a, err)
	}
	for _, segment := range []string{"", ".", "a.", "a b", strings.Repeat("a", 1016)} {
		if a, err := ilpcore.Address("test.gw").With(segment); err != ilpcore.ErrAddress || a != "" {
			t.Errorf("%q: %q, %v", segment, a, err)
		}
	}
	for segment, want := range map[string]bool{"": false, "a": true, "a.b": false, "A-z_0~9": true, "a b": false} {
		if ilpcore.ValidSegment(segment) != want {
			t.Errorf("ValidSegment(%q) is not %v", segment, want)
		}
	}
	if ilpcore.Address("").Scheme() != "" {
		t.Error("the empty address has a scheme")
	}
}

func TestAddressWithThenSuffix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := ilpcore.Address(drawAddress(t))
		segment := rapid.StringMatching(`[a-zA-Z0-9_~-]{1,43}`).Draw(t, "segment")
		below, err := a.With(segment)
		if err != nil {
			t.Fatal(err)
		}
		if rest, ok := a.Suffix([]byte(below)); !ok || string(rest) != segment {
			t.Fatalf("%s of %s: %q %v", below, a, rest, ok)
		}
		if _, ok := a.Suffix([]byte(string(a) + segment)); ok {
			t.Fatal("a longer segment is taken for one below")
		}
	})
}

func TestAddressAllocations(t *testing.T) {
	a, dest := ilpcore.Address("test.gw"), []byte("test.gw.abcdefghijklmnopqrstuvwxyz0123456789abcdefg")
	if n := testing.AllocsPerRun(100, func() { ilpcore.ValidAddress(dest); a.Suffix(dest) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzValidAddress(f *testing.F) {
	for _, s := range []string{"test.gw.abc", "g.", "test3.a-b~c_d", "private..a"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if want := len(b) <= 1023 && grammar.Match(b); ilpcore.ValidAddress(b) != want {
			t.Fatalf("%q: the grammar says %v", b, want)
		}
	})
}
