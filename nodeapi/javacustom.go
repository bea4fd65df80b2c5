package nodeapi

// This file reads and writes customSettings, in which the Java connector keeps what is about ILP over HTTP. They come as flat keys with dots or
// as nested objects, and the settings of JSON Web Tokens in two spellings: with .jwt., and as the peering guide has them, without.

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxNesting is how deep customSettings may be: keys grow longer with every level.
const maxNesting = 8

// flatten puts value into flat under keys with dots. Numbers become strings, which is how they are given back; null is absent, but for secrets,
// which it leaves as they are.
func flatten(flat map[string]any, key string, value any) error {
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 && key != "" {
		if _, twice := flat[key]; twice {
			return &FieldError{Field: "customSettings", Why: fmt.Sprintf("%q is given twice, flat and nested", key)}
		}
		switch {
		case value != nil:
			flat[key] = exact(value)
		case isSecretKey(key):
			flat[key] = ""
		}
		return nil
	}
	if strings.Count(key, ".") > maxNesting {
		return &FieldError{Field: "customSettings", Why: fmt.Sprintf("the objects are nested more than %d deep", maxNesting)}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		inner := name
		if key != "" {
			inner = key + "." + name
		}
		if err := flatten(flat, inner, object[name]); err != nil {
			return err
		}
	}
	return nil
}

// exact returns value with every number as a string: they would lose digits on the way to the disk and back.
func exact(value any) any {
	switch v := value.(type) {
	case json.Number:
		return v.String()
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = exact(v[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name := range v {
			object[name] = exact(v[name])
		}
		return object
	default:
		return v
	}
}

// custom returns the customSettings of an object, flat.
func (f javaFields) custom(name string) map[string]any {
	flat := make(map[string]any)
	raw, ok := f.given(name)
	if !ok {
		return flat
	}
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if d.Decode(&object) != nil {
		f.refuse(name, "it is an object")
		return flat
	}
	if err := flatten(flat, "", object); err != nil && *f.err == nil {
		*f.err = err
	}
	return flat
}

// isSecretKey says whether what a key names is a secret, of ILP over HTTP or of anything else, going by its last part: authToken, auth_token and auth-token are
// one.
func isSecretKey(key string) bool {
	last := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(key[strings.LastIndexByte(key, '.')+1:]))
	for _, word := range []string{"secret", "password", "passphrase", "authtoken", "privatekey", "apikey"} {
		if strings.Contains(last, word) {
			return true
		}
	}
	for _, word := range []string{"token", "credential", "credentials"} { // not token_subject and its like
		if strings.HasSuffix(last, word) {
			return true
		}
	}
	return false
}

// sealRest encrypts the secrets in what nothing here uses. Yes, no and nothing are none, as in withCredentials: true; a list of them cannot be kept. One that was made unreadable by whoever shows accounts to people is what it was before.
func (a *API) sealRest(within string, flat, before map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		if !isSecretKey(key) || holdsNothing(flat[key]) {
			continue
		}
		text, ok := flat[key].(string)
		if !ok {
			return &FieldError{Field: within + key, Why: "a secret is a text"}
		}
		if redacted(text) {
			delete(flat, key)
			if old, known := before[key]; known {
				flat[key] = old
			}
			continue
		}
		sealed, err := a.directory.Keeper().Take(text)
		if err != nil {
			return fieldOf(within+key, err)
		}
		flat[key] = string(sealed)
	}
	return nil
}

// holdsNothing says whether a value has no room for a secret.
func holdsNothing(value any) bool {
	switch v := value.(type) {
	case bool:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// redacted says whether a secret is one that somebody has made unreadable: empty, stars, REDACTED, or the SECRET that interledger-rs shows.
func redacted(secret string) bool {
	switch strings.ToLower(strings.Trim(secret, "*[]<> ")) {
	case "", "redacted", "secret":
		return true
	}
	return false
}
