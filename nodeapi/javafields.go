package nodeapi

// This file reads JSON as the Java connector does: numbers may be strings, null is absent, unknown members are ignored.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"mime"
	"strconv"
	"strings"

	"github.com/paydoor/paydoor/ilpcore"
)

var (
	errNotJSON   = errors.New("the body is not one JSON object")
	errMediaType = errors.New("the body has to be JSON: send Content-Type: application/json")
	errAccountID = errors.New("an accountId has 1 to 64 letters, digits and - _ . ~, and is not . or ..")
)

// javaFields are the members of a JSON object. The first thing that is wrong with one stays in err, a *FieldError.
type javaFields struct {
	members map[string]json.RawMessage
	within  string // the path of the object, "" or with a dot at its end
	err     *error
}

// javaBody reads the body of r. The media type is not overlooked: a form of a web page cannot send JSON, but all else, with the browser's
// Basic credentials. Errors: errMediaType, errNotJSON.
func javaBody(r *request) (javaFields, error) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return javaFields{}, errMediaType
	}
	return newJavaFields(r.body)
}

// isJSON says whether a Content-Type is JSON, or a kind of it, in UTF-8.
func isJSON(header string) bool {
	media, parameters, err := mime.ParseMediaType(header)
	charset := parameters["charset"]
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json")) && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

func newJavaFields(body []byte) (javaFields, error) {
	f := javaFields{err: new(error)}
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(body, &f.members); {
	case errors.As(err, &syntax):
		return f, fmt.Errorf("%w: at byte %d it ends too early or has a wrong character", errNotJSON, syntax.Offset)
	case err != nil || f.members == nil:
		return f, errNotJSON
	}
	return f, nil
}

// refuse keeps the first error.
func (f javaFields) refuse(name, why string) {
	if *f.err == nil {
		*f.err = &FieldError{Field: f.within + name, Why: why}
	}
}

// given returns a member; ok is false where it is absent or null.
func (f javaFields) given(name string) (raw json.RawMessage, ok bool) {
	raw, ok = f.members[name]
	return raw, ok && !bytes.Equal(raw, []byte("null"))
}

// scalar returns what a string, a number or a boolean says.
func (f javaFields) scalar(name string) (text string, ok bool) {
	raw, ok := f.given(name)
	if !ok {
		return "", false
	}
	switch raw[0] {
	case '{', '[':
		f.refuse(name, "it is one value, no object or list")
		return "", false
	case '"':
		if json.Unmarshal(raw, &text) != nil {
			f.refuse(name, "it is no text")
			return "", false
		}
		return text, true
	default:
		return string(raw), true
	}
}

// text returns a string; "" where it is absent.
func (f javaFields) text(name string) string {
	text, _ := f.scalar(name)
	return text
}

// required returns a string that has to be there.
func (f javaFields) required(name, what string) string {
	text := f.text(name)
	if text == "" {
		f.refuse(name, "it is required: "+what)
	}
	return text
}

// integer returns a 64-bit integer, or nil where it is absent.
func (f javaFields) integer(name string) *int64 {
	text, ok := f.scalar(name)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f.refuse(name, "it is an integer from -9223372036854775808 to 9223372036854775807, as a number or a string")
		return nil
	}
	return &n
}

// unsigned returns an integer from least to most, or nil where it is absent.
func (f javaFields) unsigned(name string, least, most uint64) *uint64 {
	text, ok := f.scalar(name)
	if !ok {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < least || n > most {
		f.refuse(name, fmt.Sprintf("it is an integer from %d to %d, as a number or a string", least, most))
		return nil
	}
	return &n
}

// boolean returns a boolean, or nil where it is absent.
func (f javaFields) boolean(name string) *bool {
	text, ok := f.scalar(name)
	if !ok {
		return nil
	}
	b := text == "true"
	if !b && text != "false" {
		f.refuse(name, "it is true or false")
	}
	return &b
}

// object returns the members of an object; ok is false where it is absent.
func (f javaFields) object(name string) (inner javaFields, ok bool) {
	inner = javaFields{within: f.within + name + ".", err: f.err}
	raw, ok := f.given(name)
	if ok && json.Unmarshal(raw, &inner.members) != nil {
		f.refuse(name, "it is an object")
	}
	return inner, ok
}

// id returns an account's name. The error is errAccountID.
func (f javaFields) id(name string) (ilpcore.AccountID, error) {
	id, ok := f.scalar(name)
	if !ok || !ValidID(id) {
		return "", fmt.Errorf("%w, and %s has not", errAccountID, f.within+name)
	}
	return ilpcore.AccountID(id), nil
}

// These are how far the numbers of accounts reach.
const (
	maxAmount           = math.MaxUint64
	maxScale            = math.MaxUint8
	maxPacketsPerSecond = math.MaxUint32 / 60
)
