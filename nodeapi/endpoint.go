package nodeapi

// This file puts together what happens to every request before its handler: who asks, whether they may, the body, and the dialect.

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/paydoor/paydoor/ilpcore"
)

// request is a request whose sender may make it.
type request struct {
	*http.Request
	who     principal
	account ilpcore.AccountID // that the path names, {account} in the pattern; "" where it names none
	dialect Dialect
	body    []byte
}

type handler func(w http.ResponseWriter, r *request)

// access says who may ask.
type access uint8

const (
	open   access = iota // everybody
	holder               // the account that the path names, and the admin
	owner                // the account that the path names alone
	admin                // the admin alone
	engine               // settlement engines, and the admin
)

// endpoint is one method and path, and who answers it in the dialects of interledger-rs and in Java's. Where one of them does not know
// the endpoint, the other answers.
type endpoint struct {
	access     access
	rust, java handler
}

// endpoints gathers what the dialects register, by pattern of http.ServeMux.
type endpoints map[string]*endpoint

// add registers an answer. Both dialects have to agree on who may ask.
func (e endpoints) add(pattern string, who access, rust, java handler) {
	known := e[pattern]
	if known == nil {
		known = &endpoint{access: who}
		e[pattern] = known
	}
	if known.access != who || known.rust != nil && rust != nil || known.java != nil && java != nil {
		panic("the API has two endpoints " + pattern)
	}
	if rust != nil {
		known.rust = rust
	}
	if java != nil {
		known.java = java
	}
}

// endpoints returns all endpoints of the API.
func (a *API) endpoints() endpoints {
	all := make(endpoints)
	a.registerRust(all)
	a.registerJava(all)
	a.registerSettlement(all)
	a.registerPayments(all)
	return all
}

// register fills the mux.
func (a *API) register() {
	all := a.endpoints()
	for _, pattern := range slices.Sorted(maps.Keys(all)) {
		e := all[pattern]
		a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { a.answer(w, r, e) })
	}
}

// maxBody is how long a body may be, in bytes.
const maxBody = 1 << 20

// answer does what every endpoint needs. Whether an account exists is not said to those who may not ask (T37): they all get the same 401.
func (a *API) answer(w http.ResponseWriter, plain *http.Request, e *endpoint) {
	r := &request{Request: plain, account: ilpcore.AccountID(plain.PathValue("account"))}
	r.who = a.identify(plain, string(r.account))
	r.dialect = a.dialectOf(r.who)
	w.Header().Set("Cache-Control", "no-store")
	if !e.access.allows(r.who, r.account) {
		a.refuse(w, r)
		return
	}
	var err error
	if r.body, err = io.ReadAll(http.MaxBytesReader(w, plain.Body, maxBody)); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			writeProblem(w, problemDetails{Status: http.StatusRequestEntityTooLarge, Detail: "a body has at most 1 MiB"})
			return
		}
		writeProblem(w, problemDetails{Status: http.StatusBadRequest, Detail: "the body could not be read"})
		return
	}
	r.dialect = decide(r.dialect, r.body)
	if r.dialect == Java && e.java != nil || e.rust == nil {
		e.java(w, r)
		return
	}
	e.rust(w, r)
}

func (who access) allows(p principal, account ilpcore.AccountID) bool {
	own := p.account != "" && p.account == account
	switch who {
	case open:
		return true
	case holder:
		return p.admin || own
	case owner:
		return own
	case engine:
		return p.engine || p.admin
	default:
		return p.admin
	}
}

// decide lets a body that only one dialect has decide: the Java connector's have accountId or nextHopAccountId, those of interledger-rs a
// username. Every other body leaves the dialect as it is.
func decide(d Dialect, body []byte) Dialect {
	if body = bytes.TrimLeft(body, " \t\r\n"); len(body) == 0 || body[0] != '{' {
		return d
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return d
	}
	for _, name := range []string{"accountId", "accountRelationship", "nextHopAccountId"} {
		if _, ok := members[name]; ok {
			return Java
		}
	}
	if _, ok := members["username"]; ok && d == Java {
		return Rust06
	}
	return d
}

// refuse answers 401 to whoever may not ask.
func (a *API) refuse(w http.ResponseWriter, r *request) {
	if r.Header.Get("Authorization") == "" {
		w.Header().Add("WWW-Authenticate", `Bearer realm="paydoor"`)
		if strings.Contains(r.Header.Get("Accept"), "html") {
			w.Header().Add("WWW-Authenticate", `Basic realm="paydoor"`)
		}
	} else {
		w.Header().Set("WWW-Authenticate", `Bearer realm="paydoor", error="invalid_token"`)
	}
	writeProblem(w, problemDetails{
		Status: http.StatusUnauthorized,
		Detail: "send Authorization: Bearer and the admin token, or where an account may ask, that account's token, as TOKEN or ACCOUNT:TOKEN",
	})
}
