package ilpcore

// This file holds the two ways to try out a route: the Java connectors' ping, and the JavaScript and Rust connectors' echo.

import (
	"crypto/sha256"
	"errors"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// PingFulfillment fulfils every ping: the word "ping" eight times. Who answers pings gives it away, so a ping proves a route and
// nothing else, and any money in it belongs to the node that answers.
var PingFulfillment = [32]byte([]byte("pingpingpingpingpingpingpingping"))

// PingCondition is the SHA-256 of PingFulfillment. A Prepare for a node's own address with this condition is a ping; the node
// fulfils it and sends the data back.
var PingCondition = sha256.Sum256(PingFulfillment[:])

// Ping returns the Prepare that pings the node with this address. amount may be 0.
func Ping(node Address, a amount.Amount, expiresAt time.Time) Prepare {
	return Prepare{Amount: a, ExpiresAt: expiresAt, Condition: PingCondition, Destination: []byte(node)}
}

const (
	echoPrefix   = "ECHOECHOECHOECHO"
	echoRequest  = 0
	echoResponse = 1
)

// ErrEcho says that data which starts like an echo packet is not a whole one.
var ErrEcho = errors.New("not an echo packet")

// Echo is the data of an echo packet. A request goes to a node's own address, and the node sends a new Prepare with the same amount,
// condition and expiry to Source, from which the fulfillment then comes. This makes a node send packets where strangers tell it to.
type Echo struct {
	Response bool
	Source   []byte // of a request: a valid address that aliases the data
}

// IsEcho tells whether data starts with the 16 bytes of the echo protocol.
func IsEcho(data []byte) bool {
	return len(data) >= len(echoPrefix) && string(data[:len(echoPrefix)]) == echoPrefix
}

// DecodeEcho reads the data of an echo packet; bytes after it are ignored. The error is ErrEcho (F01).
func DecodeEcho(data []byte) (Echo, error) {
	if !IsEcho(data) {
		return Echo{}, ErrEcho
	}
	r := NewReader(data[len(echoPrefix):])
	kind := r.Uint8()
	if r.Err() == nil && kind == echoResponse {
		return Echo{Response: true}, nil
	}
	source := r.VarOctets()
	if r.Err() != nil || kind != echoRequest || !ValidAddress(source) {
		return Echo{}, ErrEcho
	}
	return Echo{Source: source}, nil
}

// Append appends the data of an echo packet. On error, ErrAddress, dst comes back as it was.
func (e Echo) Append(dst []byte) ([]byte, error) {
	if e.Response {
		return append(append(dst, echoPrefix...), echoResponse), nil
	}
	if !ValidAddress(e.Source) {
		return dst, ErrAddress
	}
	dst = append(append(dst, echoPrefix...), echoRequest)
	return AppendVarOctets(dst, e.Source), nil
}

// EchoBack returns the Prepare that answers an echo request: the same money under the same condition, for the source named in the
// request. Its Destination aliases the request. The caller shortens the expiry as for any packet it forwards. The error is ErrEcho (F01).
func EchoBack(request *Prepare) (Prepare, error) {
	e, err := DecodeEcho(request.Data)
	if err != nil || e.Response {
		return Prepare{}, ErrEcho
	}
	back := *request
	back.Destination = e.Source
	back.Data = append([]byte(echoPrefix), echoResponse)
	return back, nil
}
