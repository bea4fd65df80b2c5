package testengine

// This file is the money between engines: a ledger that is a map, how an engine finds whom to pay, and how it tells its connector of what came in.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// question is what an engine says to the one at the other end of an account; the answer is where that is paid.
const question = "where do you want to be paid?"

// Ledger is what engines pay each other on. It counts in base units of 10^-Scale, whatever their connectors do.
type Ledger struct {
	Scale uint8

	mu      sync.Mutex
	engines map[string]*Engine
	moved   map[[2]string]*big.Int // by payer and payee, ENGINE/ACCOUNT, in the ledger's units
}

// node is an engine's connector.
type node struct{ url, token string }

// Join makes e an engine of the ledger under name. Its connector is at url and lets it in with token. Both ends of an account have to join before
// anything is settled for it.
func (l *Ledger) Join(e *Engine, name, url, token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.engines == nil {
		l.engines, l.moved = make(map[string]*Engine), make(map[[2]string]*big.Int)
	}
	l.engines[name] = e
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ledger, e.name, e.node = l, name, node{strings.TrimRight(url, "/"), token}
}

// Moved is what the first engine has paid the second, in base units of 10^-Scale.
func (l *Ledger) Moved(from, to string) *big.Int {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := new(big.Int)
	for ends, n := range l.moved {
		if strings.HasPrefix(ends[0], from+"/") && strings.HasPrefix(ends[1], to+"/") {
			sum.Add(sum, n)
		}
	}
	return sum
}

// Told is what the connector has acknowledged of what came in for all accounts, in the ledger's units.
func (e *Engine) Told() *big.Int {
	return e.sum(func(a *account) *big.Int { return a.told })
}

// Leftover is what the engine was asked to settle and the ledger is too coarse for, in base units of 10^-scale.
func (e *Engine) Leftover(scale uint8) *big.Int {
	sum := e.sum(func(a *account) *big.Int { return a.leftover })
	return sum.Quo(sum, power(finest-scale))
}

func (e *Engine) sum(of func(*account) *big.Int) *big.Int {
	e.mu.Lock()
	defer e.mu.Unlock()
	sum := new(big.Int)
	for _, a := range e.accounts {
		sum.Add(sum, of(a))
	}
	return sum
}

// findPeer asks, over the connectors, where the other end of the account is paid.
func (e *Engine) findPeer(id string) error {
	e.mu.Lock()
	a, to := e.accounts[id], e.node
	known := a == nil || a.peer != ""
	e.mu.Unlock()
	if known {
		return nil
	}
	status, answer, err := to.post(id+"/messages", "application/octet-stream", "", []byte(question))
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("the connector answers %d: %s", status, answer)
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a.peer = string(answer)
	return nil
}

// move pays as much of what is to be settled as the ledger can move, and keeps the rest for the next time. The lock is held.
func (e *Engine) move(a *account, q Quantity) {
	a.leftover.Add(a.leftover, q.At(finest))
	unit := power(finest - e.ledger.Scale)
	whole, rest := new(big.Int).QuoRem(a.leftover, unit, new(big.Int))
	a.leftover = rest
	if whole.Sign() > 0 {
		e.ledger.pay(e, a.peer, whole)
	}
}

// pay moves units, and has the payee's engine tell its connector.
func (l *Ledger) pay(from *Engine, to string, units *big.Int) {
	name, id, _ := strings.Cut(to, "/")
	l.mu.Lock()
	payee := l.engines[name]
	ends := [2]string{from.name + "/", to}
	if l.moved[ends] == nil {
		l.moved[ends] = new(big.Int)
	}
	l.moved[ends].Add(l.moved[ends], units)
	key := fmt.Sprintf("%s paid %s %s in all", from.name, to, l.moved[ends])
	l.mu.Unlock()
	if payee != nil {
		payee.telling.Go(func() { payee.tell(id, key, units) })
	}
}

// tell tells the connector that units came in for an account, until it is acknowledged, and then once more: that counts once all the same, and the
// answer is the same.
func (e *Engine) tell(id, key string, units *big.Int) {
	e.mu.Lock()
	to, scale := e.node, e.ledger.Scale
	e.mu.Unlock()
	body, _ := json.Marshal(Quantity{Amount: units.String(), Scale: scale})
	var answers [][]byte
	for pause := 10 * time.Millisecond; len(answers) < 2 && pause < time.Minute; {
		status, answer, err := to.post(id+"/settlements", "application/json", key, body)
		if err != nil || status != http.StatusCreated {
			time.Sleep(pause) // the connector may be starting
			pause *= 2
			continue
		}
		answers = append(answers, answer)
	}
	if len(answers) < 2 || !bytes.Equal(answers[0], answers[1]) {
		return
	}
	var acknowledged Quantity
	if json.Unmarshal(answers[0], &acknowledged) != nil || acknowledged.Scale > scale {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.accounts[id]; a != nil {
		a.told.Add(a.told, acknowledged.At(scale))
	}
}

// post calls the connector.
func (n node) post(path, media, key string, body []byte) (status int, answer []byte, err error) {
	r, err := http.NewRequest(http.MethodPost, n.url+"/accounts/"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+n.token)
	r.Header.Set("Content-Type", media)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return response.StatusCode, answer, err
}
