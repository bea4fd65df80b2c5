package ilpcore

// This file is the Interledger Dynamic Configuration Protocol (RFC 31): a child asks its parent for its address and asset.

import (
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

// PeerConfig is the destination of an ILDCP request.
const PeerConfig = "peer.config"

// MaxAssetCode is the longest asset code taken, in bytes.
const MaxAssetCode = 64

// PeerFulfillment is the fulfillment of every packet between two neighbours (destinations that start with "peer."): 32 zero bytes.
var PeerFulfillment [32]byte

// PeerCondition is the SHA-256 of PeerFulfillment.
var PeerCondition = [32]byte{
	0x66, 0x68, 0x7a, 0xad, 0xf8, 0x62, 0xbd, 0x77, 0x6c, 0x8f, 0xc1, 0x8b, 0x8e, 0x9f, 0x8e, 0x20,
	0x08, 0x97, 0x14, 0x85, 0x6e, 0xe2, 0x33, 0xb3, 0x90, 0x2a, 0x59, 0x1d, 0x0d, 0x5f, 0x29, 0x25,
}

var (
	// ErrILDCPRequest says that a Prepare for peer.config has another condition than PeerCondition.
	ErrILDCPRequest = errors.New("not an ILDCP request")
	// ErrILDCP says that the data of an ILDCP reply names no address or no asset.
	ErrILDCP = errors.New("not an ILDCP reply")
)

// Asset is what an account counts: a code such as "USD", and a scale of 0 to 255; one base unit is 10^-Scale of the code's unit.
type Asset struct {
	Code  string // 1 to 64 bytes of UTF-8 without control characters
	Scale uint8
}

// Valid reports whether the code can stand in an ILDCP reply.
func (a Asset) Valid() bool {
	if a.Code == "" || len(a.Code) > MaxAssetCode || !utf8.ValidString(a.Code) {
		return false
	}
	for _, c := range a.Code {
		if unicode.IsControl(c) {
			return false
		}
	}
	return true
}

// String returns code and scale, such as "USD 9".
func (a Asset) String() string { return fmt.Sprintf("%s %d", a.Code, a.Scale) }

// ILDCP is the answer of a parent: the address the child has from now on, and the asset their account counts.
type ILDCP struct {
	Address Address
	Asset   Asset
}

// ILDCPRequest returns the Prepare that asks the node at the other end of a link for the configuration. Senders let it
// expire a minute ahead.
func ILDCPRequest(expiresAt time.Time) Prepare {
	return Prepare{ExpiresAt: expiresAt, Condition: PeerCondition, Destination: []byte(PeerConfig)}
}

// CheckILDCPRequest tells whether a Prepare is an ILDCP request: its destination and its condition; the data is ignored, and the
// expiry is left to the caller's clock. The error is ErrILDCPRequest, which the parent answers with F00.
func CheckILDCPRequest(p *Prepare) error {
	if string(p.Destination) != PeerConfig || p.Condition != PeerCondition {
		return ErrILDCPRequest
	}
	return nil
}

// DecodeILDCP reads the data of the Fulfill that answers an ILDCP request; bytes after the last field are ignored. The result
// is a copy. The error is ErrILDCP.
func DecodeILDCP(data []byte) (ILDCP, error) {
	r := NewReader(data)
	address := r.VarOctets()
	scale := r.Uint8()
	code := r.VarOctets()
	if err := r.Err(); err != nil {
		return ILDCP{}, fmt.Errorf("%w: %v", ErrILDCP, err)
	}
	if !ValidAddress(address) {
		return ILDCP{}, fmt.Errorf("%w: its address is not valid", ErrILDCP)
	}
	c := ILDCP{Address: Address(address), Asset: Asset{Code: string(code), Scale: scale}}
	if !c.Asset.Valid() {
		return ILDCP{}, fmt.Errorf("%w: its asset code is not valid", ErrILDCP)
	}
	return c, nil
}

// Append appends the data of the Fulfill that answers an ILDCP request. On error, ErrAddress or ErrILDCP, dst comes back as it was.
func (c ILDCP) Append(dst []byte) ([]byte, error) {
	if !c.Address.Valid() {
		return dst, fmt.Errorf("encode an ILDCP reply: %w", ErrAddress)
	}
	if !c.Asset.Valid() {
		return dst, fmt.Errorf("%w: its asset code is not valid", ErrILDCP)
	}
	dst = AppendVarOctets(dst, c.Address)
	dst = append(dst, c.Asset.Scale)
	return AppendVarOctets(dst, c.Asset.Code), nil
}

// Reply returns the Fulfill that answers an ILDCP request with c.
func (c ILDCP) Reply() (Reply, error) {
	data, err := c.Append(nil)
	if err != nil {
		return Reply{}, err
	}
	return Fulfill(PeerFulfillment, data), nil
}
