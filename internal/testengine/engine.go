// Package testengine is a settlement engine (RFC 38, draft 3) for tests. It keeps to the RFC: an Idempotency-Key counts once, what is too fine
// for its ledger is kept for later, and what came in is told until it is acknowledged. Tests say how it misbehaves.
package testengine

// This file is what connectors call: accounts, settlements, messages.

import (
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Quantity is an amount of base units of 10^-Scale.
type Quantity struct {
	Amount string `json:"amount"` // decimal digits
	Scale  uint8  `json:"scale"`
}

// At returns the quantity in base units of 10^-scale, which is no coarser than its own.
func (q Quantity) At(scale uint8) *big.Int {
	n, ok := new(big.Int).SetString(q.Amount, 10)
	if !ok {
		return new(big.Int)
	}
	return n.Mul(n, power(scale-q.Scale))
}

func power(exponent uint8) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
}

// Fault is what goes wrong with one settlement that a connector asks for.
type Fault struct {
	Status int  // it is answered with this, and nothing is settled
	Lost   bool // it is settled, and the connection breaks before the answer
	Hangs  bool // it is settled, and nothing is answered until the connector gives up
}

// Engine is one running engine. The zero fields are those of an engine that does everything right and pays nobody: it only writes down.
type Engine struct {
	URL string // for the connector

	server *httptest.Server
	// What ledger.go needs; nil: nobody is paid.
	ledger *Ledger
	name   string

	mu       sync.Mutex
	node     node
	faults   func(call int) Fault
	accounts map[string]*account
	settled  map[string]Quantity // by key
	calls    int
	telling  sync.WaitGroup
}

// account is one that a connector has told of.
type account struct {
	registered int      // times
	gone       bool     // it was deleted
	peer       string   // the account at the other end, ENGINE/ACCOUNT; "": not asked yet
	asked      *big.Int // sum of all settlements, in base units of 10^-finest
	leftover   *big.Int // of them, what the ledger could not move yet
	told       *big.Int // of what came in, what the connector has acknowledged, in the ledger's units
}

// finest is the scale that sums are kept in.
const finest = 40

// New starts an engine that only writes down what it is asked to settle. Close ends it.
func New() *Engine {
	e := &Engine{accounts: make(map[string]*account), settled: make(map[string]Quantity)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /accounts", e.create)
	mux.HandleFunc("DELETE /accounts/{id}", e.remove)
	mux.HandleFunc("POST /accounts/{id}/settlements", e.settle)
	mux.HandleFunc("POST /accounts/{id}/messages", e.message)
	e.server = httptest.NewServer(mux)
	e.URL = e.server.URL
	return e
}

// Close ends the engine, after what it still has to tell its connector.
func (e *Engine) Close() {
	e.telling.Wait()
	e.server.CloseClientConnections()
	e.server.Close()
}

// Fail has faults decide what goes wrong with settlements, by their number from 1; nil: nothing.
func (e *Engine) Fail(faults func(call int) Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = faults
}

// Calls is how many settlements were asked for, repetitions included.
func (e *Engine) Calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

// Settlements is how many were made: one for each key.
func (e *Engine) Settlements() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.settled)
}

// Registered is how often a connector has told of the account.
func (e *Engine) Registered(id string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.accounts[id]; a != nil {
		return a.registered
	}
	return 0
}

// Gone says whether the account was deleted.
func (e *Engine) Gone(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.accounts[id]
	return a != nil && a.gone
}

// Total is what was settled of all accounts, in base units of 10^-scale.
func (e *Engine) Total(scale uint8) *big.Int {
	e.mu.Lock()
	defer e.mu.Unlock()
	sum := new(big.Int)
	for _, q := range e.settled {
		sum.Add(sum, q.At(scale))
	}
	return sum
}

func (e *Engine) create(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ID string `json:"id"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.ID == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.accounts[body.ID]
	if a == nil {
		a = &account{asked: new(big.Int), leftover: new(big.Int), told: new(big.Int)}
		e.accounts[body.ID] = a
	}
	a.registered++
	a.gone = false
	w.WriteHeader(http.StatusCreated)
}

func (e *Engine) remove(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.accounts[r.PathValue("id")]
	if a == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	a.gone = true
	w.WriteHeader(http.StatusNoContent)
}

// settle makes a settlement, once for each key, and answers as the fault of the call has it.
func (e *Engine) settle(w http.ResponseWriter, r *http.Request) {
	var q Quantity
	malformed := json.NewDecoder(r.Body).Decode(&q) != nil
	fault := e.nextFault()
	if fault.Status != 0 {
		w.WriteHeader(fault.Status)
		return
	}
	status := http.StatusBadRequest
	if key := r.Header.Get("Idempotency-Key"); !malformed && key != "" {
		status = e.settleOnce(r.PathValue("id"), key, q)
	}
	switch {
	case fault.Lost:
		panic(http.ErrAbortHandler)
	case fault.Hangs:
		<-r.Context().Done()
	default:
		w.WriteHeader(status)
	}
}

func (e *Engine) nextFault() Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	if e.faults == nil {
		return Fault{}
	}
	return e.faults(e.calls)
}

// settleOnce returns the status to answer.
func (e *Engine) settleOnce(id, key string, q Quantity) int {
	if e.ledger != nil && e.findPeer(id) != nil {
		return http.StatusServiceUnavailable // nothing was settled: the other engine does not say where to
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.accounts[id]
	before, known := e.settled[key]
	switch {
	case a == nil:
		return http.StatusNotFound
	case known && before != q:
		return http.StatusConflict
	case known:
		return http.StatusCreated
	}
	e.settled[key] = q
	a.asked.Add(a.asked, q.At(finest))
	if e.ledger != nil {
		e.move(a, q)
	}
	return http.StatusCreated
}

// message answers another engine: it asks where this one is paid for the account.
func (e *Engine) message(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64))
	if err != nil || string(body) != question {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, e.name+"/"+r.PathValue("id"))
}
