package ccp

// This file is the request for routes.

import (
	"encoding/binary"
	"errors"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	// ControlDestination is where a Control is sent.
	ControlDestination = "peer.route.control"
	// UpdateDestination is where an Update is sent.
	UpdateDestination = "peer.route.update"
)

// Mode is what the sender of a Control wants from now on.
type Mode uint8

const (
	// Idle is no Updates.
	Idle Mode = 0
	// Sync is Updates, beginning with what changed since the epoch named.
	Sync Mode = 1
)

// ErrControl says that data is no Control.
var ErrControl = errors.New("not a route control message")

// TableID names one table of one node. A node that starts anew has a new one.
type TableID [16]byte

// Control asks a neighbour for its routes, or to stop telling them.
type Control struct {
	Mode      Mode
	LastTable TableID // the table known last; zero for none
	LastEpoch uint32  // up to which epoch it is known
	Features  []string
}

// DecodeControl reads a Control; the result is a copy, bytes after the last field are ignored. The error is ErrControl.
func DecodeControl(data []byte) (Control, error) {
	r := ilpcore.NewReader(data)
	c := Control{Mode: Mode(r.Uint8())}
	copy(c.LastTable[:], r.Bytes(len(c.LastTable)))
	c.LastEpoch = r.Uint32()
	// Each feature takes at least a byte, so a count cannot make the loop longer than the data.
	for n := r.VarUint(); n > 0 && r.Err() == nil; n-- {
		c.Features = append(c.Features, string(r.VarOctets()))
	}
	if r.Err() != nil || c.Mode > Sync {
		return Control{}, ErrControl
	}
	return c, nil
}

// Append appends the encoded Control.
func (c Control) Append(dst []byte) []byte {
	dst = append(dst, byte(c.Mode))
	dst = append(dst, c.LastTable[:]...)
	dst = binary.BigEndian.AppendUint32(dst, c.LastEpoch)
	dst = ilpcore.AppendVarUint(dst, uint64(len(c.Features)))
	for _, feature := range c.Features {
		dst = ilpcore.AppendVarOctets(dst, feature)
	}
	return dst
}
