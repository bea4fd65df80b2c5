package nodeapi

// This file reads the JSON bodies of the dialects of interledger-rs: numbers also as strings, unknown members passed over, and every
// member that is wrong named in the answer.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bodyError is a body that cannot be used, with the type of problem that interledger-rs has for it.
type bodyError struct {
	kind   string      // what follows the prefix of the problem types; "": about:blank
	title  string      // "": the words of the status
	detail string      // what to send instead
	params []badMember // invalid-params
}

// badMember names a member, and says what is wrong with it: Type is "missing", or "" for anything else.
type badMember struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Why  string `json:"reason,omitempty"`
}

func (e *bodyError) Error() string { return "the body cannot be used: " + e.detail }

// fields is a JSON object that is read member by member.
type fields struct {
	members map[string]json.RawMessage
	bad     []badMember
}

// readFields reads the body of a request as an object. Whoever shows user and password has to call it JSON: a web page can send other types with those that
// the browser remembers, without being asked. The error is a *bodyError, or errMediaType.
func readFields(r *request) (*fields, error) {
	header := r.Header.Get("Content-Type")
	if r.who.basic && !isJSON(header) {
		return nil, errMediaType
	}
	if err := checkContentType(header); err != nil {
		return nil, err
	}
	f := new(fields)
	if err := json.Unmarshal(r.body, &f.members); err != nil {
		return nil, jsonError(err)
	}
	if f.members == nil { // null
		return nil, jsonError(errors.New("it is null"))
	}
	return f, nil
}

// checkContentType lets every type of application/ pass, as interledger-rs does; a charset has to be UTF-8.
func checkContentType(header string) error {
	media, params, err := mime.ParseMediaType(header)
	charset, given := params["charset"]
	if err != nil || !strings.HasPrefix(media, "application/") || given && !strings.EqualFold(charset, "utf-8") {
		return &bodyError{detail: "Invalid content-type. Send Content-Type: application/json"}
	}
	return nil
}

func jsonError(err error) *bodyError {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && strings.HasPrefix(syntax.Error(), "unexpected end"):
		return &bodyError{kind: "json-eof", title: "JSON Unexpected EOF", detail: "the JSON text ends too early"}
	case syntax != nil:
		return &bodyError{kind: "json-syntax", title: "JSON Syntax Error", detail: fmt.Sprintf("the JSON text is wrong at byte %d: %v", syntax.Offset, syntax)}
	}
	return &bodyError{kind: "json-data", title: "JSON Data Error", detail: "the body is a JSON object, such as {}"}
}

// err returns what is wrong with the members read so far, or nil. The error is a *bodyError.
func (f *fields) err() error {
	if len(f.bad) == 0 {
		return nil
	}
	var names []string
	for _, b := range f.bad {
		names = append(names, b.Name)
	}
	return &bodyError{kind: "json-data", title: "JSON Data Error", detail: "see invalid-params for what is wrong with " + strings.Join(names, ", "), params: f.bad}
}

// wrong notes what is wrong with a member, once for each.
func (f *fields) wrong(name, why string) {
	if !slices.ContainsFunc(f.bad, func(b badMember) bool { return b.Name == name }) {
		f.bad = append(f.bad, badMember{Name: name, Why: why})
	}
}

// require notes the members that are missing.
func (f *fields) require(names ...string) {
	for _, name := range names {
		if _, ok := f.members[name]; !ok {
			f.bad = append(f.bad, badMember{Name: name, Type: "missing"})
		}
	}
}

// text returns a string; given is false where it is missing or null.
func (f *fields) text(name string) (value string, given bool) {
	raw, ok := f.members[name]
	if !ok || string(raw) == "null" {
		return "", false
	}
	if json.Unmarshal(raw, &value) != nil {
		f.wrong(name, "it is a string")
		return "", false
	}
	return value, true
}

// number returns the digits of an integer that is written as a number or as a string; given is false where it is missing. null is
// wrong: whoever wants no value leaves the member out.
func (f *fields) number(name string) (digits string, given bool) {
	raw, ok := f.members[name]
	if !ok {
		return "", false
	}
	digits = string(raw)
	if digits == "null" {
		f.wrong(name, "it is a number; leave it out if there is to be none")
		return "", false
	}
	if raw[0] == '"' && json.Unmarshal(raw, &digits) != nil {
		f.wrong(name, "it is an integer, as a number or as a string")
		return "", false
	}
	return digits, true
}

// unsigned reads an integer from least up to what bits hold; nil where it is missing or wrong.
func (f *fields) unsigned(name string, bits int, least uint64) *uint64 {
	digits, given := f.number(name)
	if !given {
		return nil
	}
	n, err := strconv.ParseUint(digits, 10, bits)
	if err != nil || n < least {
		f.wrong(name, fmt.Sprintf("it is an integer from %d to %d, as a number or as a string", least, uint64(1)<<(bits-1)-1+uint64(1)<<(bits-1)))
		return nil
	}
	return &n
}

// signed reads an integer of 64 bits from least on; nil where it is missing or wrong.
func (f *fields) signed(name string, least int64) *int64 {
	digits, given := f.number(name)
	if !given {
		return nil
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < least {
		f.wrong(name, fmt.Sprintf("it is an integer from %d to %d, as a number or as a string", least, int64(1<<63-1)))
		return nil
	}
	return &n
}

// rustFail answers an error in the form of interledger-rs.
func (a *API) rustFail(w http.ResponseWriter, r *request, err error) {
	p := problemDetails{Status: http.StatusBadRequest}
	var body *bodyError
	var field *FieldError
	switch {
	case errors.Is(err, errMediaType):
		p.Status, p.Detail = http.StatusUnsupportedMediaType, err.Error()
	case errors.As(err, &body):
		p.Title, p.Detail = body.title, body.detail
		if body.kind != "" {
			p.Type = rustTypes + body.kind
		}
		if body.params != nil {
			p.Extra = map[string]any{"invalid-params": body.params}
		}
	case errors.As(err, &field):
		p.Detail = strings.TrimPrefix(field.Error(), ErrSettings.Error()+": ") // it may be about a query, or a payment
		p.Extra = map[string]any{"invalid-params": []badMember{{Name: field.Field, Why: field.Why}}}
	case errors.Is(err, ErrNoAccount):
		p.Type, p.Title, p.Status = rustTypes+"accounts/account-not-found", "Account Not Found", http.StatusNotFound
		p.Detail, p.Extra = err.Error(), a.datetime()
	case errors.Is(err, ErrExists):
		p.Type, p.Title, p.Status = rustTypes+"accounts/account-already-exists", "Account Already Exists", http.StatusConflict
		p.Detail, p.Extra = err.Error(), a.datetime()
	default:
		a.fail(w, r, err)
		return
	}
	writeProblem(w, p)
}

// datetime is the extension member of problems that are not about a body.
func (a *API) datetime() map[string]any {
	return map[string]any{"datetime": a.now().Format(time.RFC3339)}
}

// rustTypes is what the types of interledger-rs' problems begin with.
const rustTypes = problemTypes + "/http-api/"
