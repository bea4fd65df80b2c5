//go:build linux

package main

// This file is packets that cross a connector, and how the far side answers them.

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/paydoor/paydoor/bench/rig"
	"github.com/paydoor/paydoor/ilpcore"
)

// parcel makes packets, one after the other, and knows their answers.
type parcel interface {
	// next returns the next packet, valid until the following call; nil when there are none left.
	next() (packet []byte, err error)
	// Check wants the Fulfill that belongs to the last packet.
	Check(answer []byte) error
}

// crossingData is how much data a packet carries, which is what a STREAM packet with a few frames has. Its beginning is the fulfillment, so that
// who gets the packet can answer it without knowing anything.
const crossingData = 200

// crossing is a parcel for whatever a connector routes to the destination: one unit in each packet.
type crossing struct {
	rig.Payment
	destination ilpcore.Address
	data        [crossingData]byte
}

func (c *crossing) next() ([]byte, error) {
	rand.Read(c.data[:len(c.Fulfillment)])
	c.Fulfillment = [32]byte(c.data[:])
	c.Condition = ilpcore.ConditionOf(c.Fulfillment)
	prepare := ilpcore.Prepare{
		Amount: 1, ExpiresAt: time.Now().Add(30 * time.Second).UTC().Truncate(time.Millisecond),
		Condition: c.Condition, Destination: []byte(c.destination), Data: c.data[:],
	}
	var err error
	c.Packet, err = prepare.Append(c.Packet[:0])
	return c.Packet, err
}

// answerCrossing appends the answer to a packet that came out of a connector, and says whether it was paid. What connectors tell their neighbours
// about themselves is rejected, and does not count.
func answerCrossing(packet, dst []byte) (answer []byte, paid bool, err error) {
	prepare, err := ilpcore.DecodePrepare(packet)
	if err != nil {
		return dst, false, fmt.Errorf("a packet that a connector sent: %w", err)
	}
	if bytes.HasPrefix(prepare.Destination, []byte("peer.")) {
		reject := ilpcore.Reject(ilpcore.F02, "", "no services here", nil)
		answer, err = reject.Append(dst)
		return answer, false, err
	}
	if len(prepare.Data) != crossingData || prepare.Amount != 1 {
		return dst, false, fmt.Errorf("a connector sent a packet of %d units with %d bytes, and not what it was given", prepare.Amount, len(prepare.Data))
	}
	fulfill := ilpcore.Fulfill([32]byte(prepare.Data), prepare.Data[len(prepare.Data)-32:])
	answer, err = fulfill.Append(dst)
	return answer, true, err
}

// answerPost is answerCrossing over HTTP: length is how long the request is, and 0 while it is not complete.
func answerPost(request, dst []byte) (answer []byte, length int, paid bool, err error) {
	end := bytes.Index(request, headEnd)
	if end < 0 {
		return dst, 0, false, nil
	}
	head := end + len(headEnd)
	value, ok := headerValue(request[:head], contentLength)
	size, err := strconv.Atoi(string(value))
	if !ok || err != nil || size < 0 {
		return dst, 0, false, fmt.Errorf("a request without its length: %.200q", request[:head])
	}
	if length = head + size; length > len(request) {
		return dst, 0, false, nil
	}
	var reply [512]byte
	packet, paid, err := answerCrossing(request[head:length], reply[:0])
	if err != nil {
		return dst, 0, false, err
	}
	answer = append(dst, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: "...)
	answer = append(strconv.AppendInt(answer, int64(len(packet)), 10), "\r\n\r\n"...)
	return append(answer, packet...), length, paid, nil
}

var _ parcel = (*crossing)(nil)
