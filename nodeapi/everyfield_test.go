package nodeapi

// This file sends every documented member of every body, in all dialects: left out it has its documented default, each good value is given back, and
// each wrong one is a documented problem that names it. A member that no row is about fails the test, and so does a row about none.

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/big"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// fieldRow is a member of a body. Values are JSON, as they are sent and as they are given back.
type fieldRow struct {
	field     string   // schema, and the path of the member in it
	kinds     string   // as described, with slashes
	byDefault string   // given back where it is left out; "": the member is required, or stays as it is
	varies    bool     // the default is no constant: it is in words in the description
	good      []string // sent, then given back, and so on; the bounds that are described need no mention
	bad       []string // refused, beside what is beyond those bounds
	named     string   // what the problem names, if not the member
	kept      func(s *Settings) Sealed
	along     map[string]string // members that this one needs
	without   string            // those need this one, so that leaving it out is a problem, which names this key of its direction
	star      string            // the name of a member that is none of a few; "": ABC
}

// TestEveryFieldHasARow holds the rows against the document: names, types, what is required, and defaults.
func TestEveryFieldHasARow(t *testing.T) {
	want := describedFields(t)
	var names []string
	for _, row := range fieldRows {
		names = append(names, row.field)
	}
	slices.Sort(names)
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(want)), names); diff != "" {
		t.Errorf("members that are described, and those of the rows (-described +rows):\n%s", diff)
	}
	written := readDocs(t)
	for _, row := range fieldRows {
		d := want[row.field]
		name := strings.NewReplacer("ilpOverHttp.incoming.", "", "ilpOverHttp.outgoing.", "").Replace(row.field[strings.Index(row.field, ".")+1:])
		for _, part := range strings.FieldsFunc(name, func(c rune) bool { return c == '.' || c == '*' }) {
			if !strings.Contains(written, part) {
				t.Errorf("%s is not in the guides", row.field)
			}
		}
		if got := d.kinds(); got != row.kinds {
			t.Errorf("%s is described as %s, and the row says %s", row.field, got, row.kinds)
		}
		constant := row.byDefault
		if row.varies || constant == "null" {
			constant = ""
		}
		if got := strings.Trim(string(d.Default), `"`); got != strings.Trim(constant, `"`) || (d.Default == nil) != (constant == "") {
			t.Errorf("%s has the default %s in the document, and %s in the row", row.field, d.Default, row.byDefault)
		}
		if d.needed && row.byDefault != "" {
			t.Errorf("%s is required in the document, and has a default in the row", row.field)
		}
	}
}

// field is a row that is asked about with a form.
type field struct {
	fieldRow
	*form
	described describedField
	name      string // after the schema
}

// form is how the members of a schema are sent, and where they come back.
type form struct {
	schema string
	base   map[string]string // what a body needs
	// send sends a body; at is a number that no other has, and before a body that was sent to the same place before, if not "".
	send  func(b *bed, t *testing.T, at int, before, body string) *httptest.ResponseRecorder
	shown func(b *bed, t *testing.T, at int, w *httptest.ResponseRecorder, name string) string // what is given back, in JSON; "": nothing
	last  func(b *bed, at int) *Settings                                                       // the account, if it is one
	ok    int
	// wrong are the types of problems that a wrong value may have.
	wrong []string
	// texts says that numbers are given back as strings.
	texts bool
	// stays says that what is left out stays as it was.
	stays bool
}

func TestEveryFieldAndDefault(t *testing.T) {
	described := describedFields(t)
	for _, dialect := range []Dialect{Rust06, Rust10, Java} {
		t.Run(dialect.String(), func(t *testing.T) {
			at := 0
			for _, f := range forms(dialect) {
				b := rustBed(t, func(c *Config) { c.Sender, c.Dialect, c.EngineToken = honest(), dialect, testEngine })
				for _, row := range fieldRows {
					schema, name, _ := strings.Cut(row.field, ".")
					if schema != f.schema {
						continue
					}
					one := field{fieldRow: row, form: f, described: described[row.field], name: name}
					t.Run(row.field, func(t *testing.T) {
						one.leaveOut(t, b, &at)
						one.giveGood(t, b, &at)
						one.giveBad(t, b, &at)
					})
				}
			}
		})
	}
}

// body is what the form needs and the row has along, with the member set to value; "": left out.
func (f field) body(at int, value string) string {
	whole := make(map[string]any)
	set := func(name, value string) {
		path := []string{name}
		if head, rest, ok := strings.Cut(name, "."); ok && f.star == "" {
			path = []string{head, rest} // keys of customSettings have dots themselves
		}
		object := whole
		if len(path) == 2 {
			inner, _ := whole[path[0]].(map[string]any)
			if inner == nil {
				inner = make(map[string]any)
			}
			whole[path[0]], object = inner, inner
		}
		object[path[len(path)-1]] = json.RawMessage(numbered(value, at))
	}
	for name, value := range f.base {
		set(name, value)
	}
	for name, value := range f.along {
		set(name, value)
	}
	if value == "" {
		if head, rest, ok := strings.Cut(f.name, "."); ok {
			if inner, ok := whole[head].(map[string]any); ok {
				delete(inner, rest)
			}
		} else {
			delete(whole, f.name)
		}
	} else {
		set(f.sentAs(), value)
	}
	return string(mustJSON(whole))
}

// sentAs is the name of the member in a body.
func (f field) sentAs() string { return strings.Replace(f.name, "*", cmp.Or(f.star, "ABC"), 1) }

// leaveOut wants the default, or a problem where there is none; and what was, where it stays.
func (f field) leaveOut(t *testing.T, b *bed, at *int) {
	*at++
	w := f.send(b, t, *at, "", f.body(*at, ""))
	switch {
	case f.described.needed, f.without != "":
		f.refused(t, w, "left out")
	case w.Code != f.ok:
		t.Errorf("left out: %d %s", w.Code, w.Body)
	case f.stays && len(f.good) > 0:
		*at++
		w := f.send(b, t, *at, f.body(*at, f.good[0]), f.body(*at, ""))
		f.wantShown(t, b, *at, w, "left out of a change", f.good[0], f.good[1])
	case !strings.HasSuffix(f.name, "*"):
		f.wantShown(t, b, *at, w, "left out", "", f.byDefault)
		if len(f.good) > 0 { // what it was before does not stay
			*at++
			w := f.send(b, t, *at, f.body(*at, f.good[0]), f.body(*at, ""))
			f.wantShown(t, b, *at, w, "left out of a change", "", f.byDefault)
		}
	}
}

// giveGood wants each value given back; numbers as numbers and as strings.
func (f field) giveGood(t *testing.T, b *bed, at *int) {
	values := slices.Clone(f.good)
	if least, most := f.described.bounds(); least != nil {
		for _, n := range []*big.Int{least, most} {
			shown := n.String()
			if f.texts {
				shown = `"` + shown + `"`
			}
			values = append(values, n.String(), shown, `"`+n.String()+`"`, shown)
		}
	}
	for i := 0; i+1 < len(values); i += 2 {
		*at++
		w := f.send(b, t, *at, "", f.body(*at, values[i]))
		f.wantShown(t, b, *at, w, "as "+values[i], values[i], values[i+1])
	}
}

// giveBad wants each value refused.
func (f field) giveBad(t *testing.T, b *bed, at *int) {
	values := slices.Clone(f.bad)
	if least, most := f.described.bounds(); least != nil {
		for _, n := range []*big.Int{new(big.Int).Sub(least, big.NewInt(1)), new(big.Int).Add(most, big.NewInt(1))} {
			values = append(values, n.String(), `"`+n.String()+`"`)
		}
		values = append(values, "1.5", `"x"`, "[]", "1e1")
	}
	if len(values) == 0 && !slices.Contains(anything, f.field) {
		t.Error("no value is wrong")
	}
	for _, value := range values {
		*at++
		f.refused(t, f.send(b, t, *at, "", f.body(*at, value)), "as "+value)
	}
}

// wantShown wants a value given back, and, of a token that was sent, kept as it was.
func (f field) wantShown(t *testing.T, b *bed, at int, w *httptest.ResponseRecorder, when, sent, want string) {
	t.Helper()
	if w.Code != f.ok {
		t.Errorf("%s: %d %s", when, w.Code, w.Body)
		return
	}
	got := f.shown(b, t, at, w, f.sentAs())
	if f.kept != nil {
		var text string
		sealed := f.kept(f.last(b, at))
		opened, err := b.directory.Keeper().Open(sealed)
		_ = json.Unmarshal([]byte(sent), &text)
		if sealed == "" {
			opened, err = "", nil
		}
		if strings.Contains(got, "enc:") {
			got = strings.Replace(got, string(sealed), "enc:…", 1)
		}
		if err != nil || opened != text {
			t.Errorf("%s: %q is kept, %v", when, opened, err)
		}
	}
	if want = numbered(want, at); got != want {
		t.Errorf("%s: given back is %s, want %s", when, got, want)
	}
}

// refused wants a documented problem that names the member.
func (f field) refused(t *testing.T, w *httptest.ResponseRecorder, when string) {
	t.Helper()
	name := f.named
	switch {
	case name == "" && when == "left out" && f.without != "":
		name = f.without
		if strings.Contains(f.name, ".outgoing.") {
			name = "ilpOverHttp.outgoing." + f.without
		}
		if strings.Contains(f.name, ".incoming.") {
			name = "ilpOverHttp.incoming." + f.without
		}
	case name == "":
		name = strings.TrimPrefix(f.sentAs(), "customSettings.")
	}
	m := members(t, w)
	if w.Code != 400 || !slices.Contains(f.wrong, m["type"].(string)) || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %v", when, w.Code, m)
		return
	}
	params, _ := m["invalid-params"].([]any)
	if m["type"] == problemTypes+"/accounts/invalid-account-id" { // it is about nothing else
		return
	}
	if len(params) != 1 || params[0].(map[string]any)["name"] != name {
		t.Errorf("%s: %v does not name %s alone", when, m, name)
	}
}

// shownIn is a member of an answer, by the path of its name.
func shownIn(t *testing.T, w *httptest.ResponseRecorder, name string) string {
	t.Helper()
	var value any = members(t, w)
	if whole, ok := value.(map[string]any)[name]; ok {
		return string(mustJSON(whole))
	}
	head, rest, nested := strings.Cut(name, ".")
	value, ok := value.(map[string]any)[head]
	if object, is := value.(map[string]any); nested && ok {
		if !is {
			return "null"
		}
		value, ok = object[rest]
	}
	if !ok {
		return "null"
	}
	return string(mustJSON(value))
}
