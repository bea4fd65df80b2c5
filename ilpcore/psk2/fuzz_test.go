package psk2

// This file holds the decoder's fuzz target.

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzDecode(f *testing.F) {
	f.Add(unhex(f, readVector(f).Plaintext))
	f.Add([]byte{LegacyLastChunk, 1, 2, 3})
	f.Add(append(bytes.Repeat([]byte{5}, headLength), 0x82, 0x01, 0x00))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		again, err := p.Append(nil)
		if err != nil {
			if errors.Is(err, ErrTooLong) && len(b) > MaxData {
				return
			}
			t.Fatal(err)
		}
		if !bytes.HasPrefix(b, again) {
			t.Errorf("%x was read from %x", again, b)
		}
	})
}
