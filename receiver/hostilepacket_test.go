package receiver

// This file makes the packets that the golden table of hostile packets describes.

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// build makes s.last the packet that p describes.
func (s *hostileSender) build(p hostilePacket) {
	s.t.Helper()
	if p.Wait != "" {
		s.clock.pass(parseDuration(s.t, p.Wait))
	}
	if p.Again {
		s.last.Data = bytes.Clone(s.last.Data)
	} else {
		s.seal(p)
	}
	s.editData(p.Data)
	if p.Amount != "" {
		s.last.Amount = parseAmount(s.t, p.Amount)
	}
	if p.Expires != "" {
		s.last.ExpiresAt = s.expiry(p.Expires)
	}
	if p.To != "" {
		s.last.Destination = []byte(s.destination(p.To))
	}
	if !p.Again || p.Condition != "" {
		s.last.Condition = s.condition(p.Condition)
	}
}

// seal makes s.last a good packet around the plaintext of p.
func (s *hostileSender) seal(p hostilePacket) {
	s.t.Helper()
	s.plain, s.protocol, s.sealer = expandHex(s.t, p.Plain), p.Protocol, nil
	secret := s.quote.SharedSecret[:]
	switch p.Protocol {
	case "", "stream":
		s.protocol, s.sealer = "stream", stream.Keys(secret)
	case "psk2":
		s.sealer = psk2.Keys(secret)
	case "psk2-rfc":
		s.sealer = psk2.RFCKeys(secret)
	case "none":
	default:
		s.t.Fatalf("no protocol %q", p.Protocol)
	}
	data := s.plain
	if s.sealer != nil {
		var err error
		if data, err = s.sealer.Seal(nil, s.plain, rand.Reader); err != nil {
			s.t.Fatal(err)
		}
	}
	s.last = ilpcore.Incoming{From: "uplink", Prepare: ilpcore.Prepare{
		Amount: 10, ExpiresAt: s.expiry("30s"), Destination: []byte(s.quote.Address), Data: data,
	}}
}

// editData changes data that was validly sealed.
func (s *hostileSender) editData(edit string) {
	s.t.Helper()
	name, n := numbered(s.t, edit)
	switch name {
	case "":
	case "flip": // one bit
		s.last.Data[n] ^= 1
	case "cut": // to n bytes
		s.last.Data = s.last.Data[:n]
	case "longer": // by n bytes
		s.last.Data = append(s.last.Data, make([]byte, n)...)
	case "resealed": // the same plaintext under another IV
		var err error
		if s.last.Data, err = s.sealer.Seal(nil, s.plain, rand.Reader); err != nil {
			s.t.Fatal(err)
		}
	default:
		s.t.Fatalf("no edit %q", edit)
	}
}

// condition returns what the table calls so; "right" is that of the data and the keys that sealed it.
func (s *hostileSender) condition(name string) (c [32]byte) {
	s.t.Helper()
	secret := s.quote.SharedSecret[:]
	switch name {
	case "", "right":
		if s.sealer != nil {
			return s.sealer.Condition(s.last.Data)
		}
		return c
	case "zero":
		return c
	case "ones":
		return [32]byte(bytes.Repeat([]byte{0xff}, 32))
	case "random":
		rand.Read(c[:])
		return c
	case "fulfillment": // the fulfillment itself
		return s.sealer.Fulfillment(s.last.Data)
	case "of zero": // of the fulfillment that is all zero, which ILDCP and other services use
		return sha256.Sum256(make([]byte, 32))
	case "of other protocol":
		if s.protocol == "stream" {
			return psk2.Keys(secret).Condition(s.last.Data)
		}
		return stream.Keys(secret).Condition(s.last.Data)
	case "of other data":
		return s.sealer.Condition(append(bytes.Clone(s.last.Data), 0))
	}
	s.t.Fatalf("no condition %q", name)
	return c
}

// destination returns the address that the table calls so. The segment begins at character 10.
func (s *hostileSender) destination(to string) string {
	s.t.Helper()
	address := s.quote.Address
	name, n := numbered(s.t, to)
	switch name {
	case "former":
		return "test.former" + address[len("test.node"):]
	case "more": // with further segments
		return address + ".more.here"
	case "flip": // another character at n of the segment
		b := []byte(address)
		flip(b, len("test.node.")+n)
		return string(b)
	case "respelled":
		b := []byte(address)
		respell(b)
		return string(b)
	case "cut": // by n characters
		return address[:len(address)-n]
	case "longer": // by n characters
		return address + strings.Repeat("A", n)
	case "split": // a dot in the middle of the segment
		return address[:60] + "." + address[60:]
	case "node": // no segment at all
		return "test.node"
	case "neighbour": // the node's address is only a prefix of its text
		return "test.nodex" + address[len("test.node"):]
	case "elsewhere":
		return "test.else" + address[len("test.node"):]
	case "another token":
		return s.another.Address
	case "another receiver":
		return s.foreign.Address
	case "spliced": // the first half is this quote's, the second another's
		return address[:90] + s.another.Address[90:]
	case "zeros":
		return "test.node." + strings.Repeat("A", segmentLength)
	}
	s.t.Fatalf("no destination %q", to)
	return ""
}

func (s *hostileSender) expiry(text string) time.Time {
	s.t.Helper()
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at
	}
	return s.clock.now().Add(parseDuration(s.t, text))
}

func parseDuration(t testing.TB, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// expandHex reads the table's way to write bytes: hex in words, of which X*N is X written N times.
func expandHex(t testing.TB, text string) (b []byte) {
	t.Helper()
	for word := range strings.FieldsSeq(text) {
		digits, times, many := strings.Cut(word, "*")
		n := 1
		part, err := hex.DecodeString(digits)
		if err == nil && many {
			n, err = strconv.Atoi(times)
		}
		if err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		b = append(b, bytes.Repeat(part, n)...)
	}
	return b
}

// numbered splits the name of a destination or an edit from its number: "flip:40" is "flip" and 40.
func numbered(t testing.TB, s string) (name string, n int) {
	name, number, ok := strings.Cut(s, ":")
	if ok {
		var err error
		if n, err = strconv.Atoi(number); err != nil {
			t.Fatal(err)
		}
	}
	return name, n
}
