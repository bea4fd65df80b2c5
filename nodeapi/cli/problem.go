package cli

// This file says what went wrong, in sentences and as the status that a command exits with.

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// What the commands exit with, beside 0.
const (
	StatusRefused   = 1 // the node said no, what was asked for failed, or there is a mistake on the command line
	StatusUnreached = 2 // no node was reached, or it did not answer a question; nothing has changed
	StatusUnknown   = 3 // a change was sent, and whether it was made, or all of it, is unknown
)

// failure is an error with a status of its own.
type failure struct {
	error
	status int
}

func (f failure) Unwrap() error { return f.error }

// ExitStatus returns what to exit with after a command returned err: 0 for nil, else one of the constants.
func ExitStatus(err error) int {
	if err == nil {
		return 0
	}
	if f, ok := errors.AsType[failure](err); ok {
		return f.status
	}
	return StatusRefused
}

// problem is the body of a refusal (RFC 9457), with what interledger-rs adds to it.
type problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	Invalid []struct {
		Name   string `json:"name"`
		Type   string `json:"type"`   // "missing"
		Reason string `json:"reason"` // of our node alone
	} `json:"invalid-params"`
}

// members says what is wrong with which member of the request.
func (p *problem) members() string {
	var said []string
	for _, invalid := range p.Invalid {
		switch {
		case invalid.Type == "missing":
			said = append(said, clean(invalid.Name)+" is missing")
		case invalid.Reason != "":
			said = append(said, clean(invalid.Name)+": "+clean(invalid.Reason))
		default:
			said = append(said, clean(invalid.Name)+" is wrong")
		}
	}
	return strings.Join(said, "; ")
}

// refusal is an answer that is not a success.
type refusal struct {
	Status int
	text   string
	answer answer
}

func (r *refusal) Error() string { return r.text }

// refused makes the error of an answer of 300 and more, from what it says and what can be done about it. who says whose token was shown.
func refused(a answer, node, who string) error {
	if kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); a.status == http.StatusNotFound && kind != problemType {
		return &refusal{a.status, fmt.Sprintf("what answers at %s has no such endpoint: name the site with ilp_node by --node or %s", node, nodeVariable), a}
	}
	text := fmt.Sprintf("the node refused: %s (%d)", reason(a), a.status)
	if hint := whatToDo(a, who); hint != "" {
		text += ": " + hint
	}
	return &refusal{a.status, text, a}
}

const problemType = "application/problem+json"

// reason is the most that an answer says about what is wrong.
func reason(a answer) string {
	var p problem
	if json.Unmarshal(a.body, &p) != nil {
		p = problem{}
	}
	switch {
	case len(p.Invalid) > 0 && p.Title != "":
		return clean(p.Title) + ": " + p.members()
	case p.Detail != "":
		return clean(p.Detail)
	case p.Title != "":
		return clean(p.Title)
	}
	if kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); kind == "text/plain" && len(a.body) > 0 && len(a.body) < 500 {
		return clean(strings.TrimSpace(string(a.body)))
	}
	return http.StatusText(a.status)
}

// whatToDo is what usually helps against a status.
func whatToDo(a answer, who string) string {
	switch {
	case a.status == http.StatusUnauthorized:
		return who
	case a.status == http.StatusTooManyRequests:
		return "try again later"
	case a.status >= http.StatusBadGateway && a.status <= http.StatusGatewayTimeout:
		return "the node or a proxy in front of it cannot answer now; try again later"
	case a.status < http.StatusBadRequest && a.header.Get("Location") != "":
		return "it sends to " + clean(a.header.Get("Location")) + "; redirects are not followed with a token, so name that node with --node"
	case a.status == http.StatusNotFound:
		return "paydoor node accounts list and paydoor node routes list show what there is"
	}
	return ""
}

// clean makes text from elsewhere safe for a terminal: what is not printable becomes a question mark.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !isPrintable(r) {
			return '?'
		}
		return r
	}, s)
}
