package btp

// This file is the list of sub-protocol entries that ends every frame, and the entry that carries ILP.

import (
	"encoding/binary"

	"github.com/paydoor/paydoor/ilpcore"
)

// The content types of an entry. Others may be received and are passed on.
const (
	ContentOctets = 0 // application/octet-stream
	ContentText   = 1 // text/plain, UTF-8
	ContentJSON   = 2 // application/json
)

// NameILP is the entry that holds an ILP packet, with ContentOctets.
const NameILP = "ilp"

// Entry is one piece of a frame for one sub-protocol. The first entry of a frame is the primary one; the others go with it.
type Entry struct {
	Name        string // 1 to 128 visible ASCII characters
	ContentType uint8
	Data        []byte // aliases the frame it was decoded from
}

// Find returns the data of the first entry of this name.
func (f *Frame) Find(name string) (data []byte, ok bool) {
	for i := range f.Entries {
		if f.Entries[i].Name == name {
			return f.Entries[i].Data, true
		}
	}
	return nil, false
}

// ILP returns the ILP packet in the frame. A Response without one does not answer an ILP request.
func (f *Frame) ILP() (packet []byte, ok bool) { return f.Find(NameILP) }

// AppendILP appends a whole Message or Response whose only entry is an ILP packet. It is Frame.Append for what links send most, without
// the errors that cannot happen with it; kind is TypeMessage or TypeResponse.
func AppendILP(dst []byte, kind uint8, id uint32, packet []byte) []byte {
	size := 2 + 1 + len(NameILP) + 1 + ilpcore.VarOctetsSize(len(packet))
	dst = appendHead(dst, kind, id, size)
	dst = append(dst, 1, 1, byte(len(NameILP)))
	dst = append(append(dst, NameILP...), ContentOctets)
	return ilpcore.AppendVarOctets(dst, packet)
}

// SetRequestID changes the request id of an encoded frame.
func SetRequestID(frame []byte, id uint32) { binary.BigEndian.PutUint32(frame[1:], id) }

// decodeEntries reads a VarUInt count and that many entries into entries.
func decodeEntries(r *ilpcore.Reader, entries []Entry) ([]Entry, error) {
	count := r.VarUint()
	if err := r.Err(); err != nil {
		return nil, err
	}
	if count > MaxEntries {
		return nil, ErrEntries
	}
	for range count {
		name := r.VarOctets()
		entry := Entry{ContentType: r.Uint8(), Data: r.VarOctets()}
		if err := r.Err(); err != nil {
			return nil, err
		}
		if !validName(name) {
			return nil, ErrName
		}
		entry.Name = known(name)
		entries = append(entries, entry)
	}
	return entries, nil
}

// entriesSize returns how many bytes appendEntries appends, or the reason why it must not.
func entriesSize(entries []Entry) (int, error) {
	if len(entries) > MaxEntries {
		return 0, ErrEntries
	}
	size := ilpcore.VarUintSize(uint64(len(entries)))
	for i := range entries {
		if !validName(entries[i].Name) {
			return 0, ErrName
		}
		size += ilpcore.VarOctetsSize(len(entries[i].Name)) + 1 + ilpcore.VarOctetsSize(len(entries[i].Data))
	}
	return size, nil
}

func appendEntries(dst []byte, entries []Entry) []byte {
	dst = ilpcore.AppendVarUint(dst, uint64(len(entries)))
	for i := range entries {
		dst = ilpcore.AppendVarOctets(dst, entries[i].Name)
		dst = append(dst, entries[i].ContentType)
		dst = ilpcore.AppendVarOctets(dst, entries[i].Data)
	}
	return dst
}

// known returns a name as a string, without a new string for the names in everyday use.
func known(name []byte) string {
	switch string(name) {
	case NameILP:
		return NameILP
	case NameAuth:
		return NameAuth
	case NameUsername:
		return NameUsername
	case NameToken:
		return NameToken
	}
	return string(name)
}

// validName reports whether a name is 1 to 128 characters that no log or header line can stumble over.
func validName[T ~string | ~[]byte](name T) bool {
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] > '~' {
			return false
		}
	}
	return len(name) > 0 && len(name) <= MaxName
}
