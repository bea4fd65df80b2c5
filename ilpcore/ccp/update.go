package ccp

// This file is the message that tells routes.

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// ErrUpdate says that data is no Update.
var ErrUpdate = errors.New("not a route update message")

// Update is what changed in the sender's table between two epochs.
type Update struct {
	Table     TableID
	Epoch     uint32        // the latest one of the table
	From, To  uint32        // this Update holds the changes of the epochs From ≤ e < To
	HoldDown  time.Duration // how long the routes count without another Update; on the wire milliseconds, up to 49 days
	Speaker   string        // the sender's address
	Routes    []Route
	Withdrawn []string // prefixes that lead nowhere any more
}

// Route is a prefix and the way there.
type Route struct {
	Prefix     string
	Path       []string // addresses of the nodes on the way, the nearest one first
	Auth       [32]byte
	Properties []Property
}

// Property is an attribute of a route, which nodes that do not know it pass on or drop as its flags say.
type Property struct {
	Flags uint8 // Optional, Transitive, Partial, UTF8
	ID    uint16
	Value []byte
}

// Flags of a Property.
const (
	Optional   = 0x80
	Transitive = 0x40
	Partial    = 0x20
	UTF8       = 0x10
)

// DecodeUpdate reads an Update; the result is a copy, bytes after the last field are ignored. Prefixes and addresses are not looked at. The
// error is ErrUpdate.
func DecodeUpdate(data []byte) (Update, error) {
	r := ilpcore.NewReader(data)
	var u Update
	copy(u.Table[:], r.Bytes(len(u.Table)))
	u.Epoch, u.From, u.To = r.Uint32(), r.Uint32(), r.Uint32()
	u.HoldDown = time.Duration(r.Uint32()) * time.Millisecond
	u.Speaker = string(r.VarOctets())
	// Whatever a count says, each element takes bytes, and the first one that is not there ends the loop.
	for n := r.VarUint(); n > 0 && r.Err() == nil; n-- {
		u.Routes = append(u.Routes, decodeRoute(&r))
	}
	u.Withdrawn = decodeStrings(&r)
	if r.Err() != nil || u.From > u.To {
		return Update{}, ErrUpdate
	}
	return u, nil
}

func decodeRoute(r *ilpcore.Reader) Route {
	var route Route
	route.Prefix = string(r.VarOctets())
	route.Path = decodeStrings(r)
	copy(route.Auth[:], r.Bytes(len(route.Auth)))
	for n := r.VarUint(); n > 0 && r.Err() == nil; n-- {
		route.Properties = append(route.Properties, Property{
			Flags: r.Uint8(), ID: r.Uint16(), Value: append([]byte(nil), r.VarOctets()...),
		})
	}
	return route
}

func decodeStrings(r *ilpcore.Reader) (list []string) {
	for n := r.VarUint(); n > 0 && r.Err() == nil; n-- {
		list = append(list, string(r.VarOctets()))
	}
	return list
}

// Append appends the encoded Update. The caller keeps it below ilpcore.MaxData.
func (u Update) Append(dst []byte) []byte {
	dst = append(dst, u.Table[:]...)
	dst = binary.BigEndian.AppendUint32(dst, u.Epoch)
	dst = binary.BigEndian.AppendUint32(dst, u.From)
	dst = binary.BigEndian.AppendUint32(dst, u.To)
	dst = binary.BigEndian.AppendUint32(dst, uint32(min(max(u.HoldDown.Milliseconds(), 0), math.MaxUint32)))
	dst = ilpcore.AppendVarOctets(dst, u.Speaker)
	dst = ilpcore.AppendVarUint(dst, uint64(len(u.Routes)))
	for _, route := range u.Routes {
		dst = route.append(dst)
	}
	return appendStrings(dst, u.Withdrawn)
}

func (r Route) append(dst []byte) []byte {
	dst = ilpcore.AppendVarOctets(dst, r.Prefix)
	dst = appendStrings(dst, r.Path)
	dst = append(dst, r.Auth[:]...)
	dst = ilpcore.AppendVarUint(dst, uint64(len(r.Properties)))
	for _, p := range r.Properties {
		dst = append(dst, p.Flags)
		dst = binary.BigEndian.AppendUint16(dst, p.ID)
		dst = ilpcore.AppendVarOctets(dst, p.Value)
	}
	return dst
}

func appendStrings(dst []byte, list []string) []byte {
	dst = ilpcore.AppendVarUint(dst, uint64(len(list)))
	for _, s := range list {
		dst = ilpcore.AppendVarOctets(dst, s)
	}
	return dst
}
