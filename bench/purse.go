//go:build linux

package main

// This file is money: tokens, what their quotes say, and payments to them as PSK2 senders craft them (RFC 25).

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/bench/rig"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/payer"
)

// token is a Pay-Token with what its quote says.
type token struct {
	text string
	ask  payer.Ask
	keys *ilpcore.EndToEnd // of ask; nil until they are needed
}

func newTokens(n int) []token {
	tokens := make([]token, n)
	var b [32]byte
	for i := range tokens {
		rand.Read(b[:])
		tokens[i].text = base64.RawURLEncoding.EncodeToString(b[:])
	}
	return tokens
}

// payment is a parcel for a token: whom and how much whom says, until it returns nil.
type payment struct {
	rig.Payment
	whom func() (*token, amount.Amount)
}

func (p *payment) next() ([]byte, error) {
	t, n := p.whom()
	if t == nil {
		return nil, nil
	}
	err := p.craft(t, n)
	return p.Packet, err
}

// craft makes the packet that pays n to t; it is valid until the next call.
func (p *payment) craft(t *token, n amount.Amount) error {
	if t.keys == nil {
		t.keys = psk2.Keys(t.ask.Secret)
	}
	return p.Craft(t.keys, t.ask.Address, n, time.Now().Add(30*time.Second), rand.Reader)
}

// pay is the job that sends packets by ILP over HTTP.
type pay struct {
	head string
	parcel
}

func newPay(secret string, p parcel) *pay {
	return &pay{parcel: p, head: "POST /ilp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + secret +
		"\r\nContent-Type: application/octet-stream\r\nContent-Length: "}
}

func (p *pay) request(b []byte) ([]byte, bool) {
	packet, err := p.next()
	if err != nil {
		panic(err) // the packet does not depend on anybody else
	}
	if packet == nil {
		return b, false
	}
	b = append(b, p.head...)
	b = strconv.AppendInt(b, int64(len(packet)), 10)
	return append(append(b, "\r\n\r\n"...), packet...), true
}

func (p *pay) answer(status int, head, body []byte) error {
	if status != 200 {
		return fmt.Errorf("a packet was answered with %.300q", head)
	}
	return p.Check(body)
}

// quote is the job that asks by OPTIONS where to pay, and what the balance is, for each token that next returns.
type quote struct {
	next  func() *token
	token *token
	seen  func(t *token, balance amount.Amount)
}

func (q *quote) request(b []byte) ([]byte, bool) {
	if q.token = q.next(); q.token == nil {
		return b, false
	}
	b = append(b, "OPTIONS / HTTP/1.1\r\nHost: 127.0.0.1\r\nPay-Token: "...)
	return append(append(b, q.token.text...), "\r\n\r\n"...), true
}

func (q *quote) answer(status int, head, _ []byte) (err error) {
	line, ok1 := headerValue(head, []byte("\r\nPay: "))
	text, ok2 := headerValue(head, []byte("\r\nPay-Balance: "))
	if status != 204 || !ok1 || !ok2 {
		return fmt.Errorf("a price query was answered with %.300q", head)
	}
	balance, err := amount.Parse(string(text))
	if err == nil && q.token.ask.Address == "" {
		q.token.ask, err = payer.ParsePay(string(line))
	}
	if err == nil && q.seen != nil {
		q.seen(q.token, balance)
	}
	return err
}

var (
	_ parcel = (*payment)(nil)
	_ job    = (*pay)(nil)
	_ job    = (*quote)(nil)
)
