package btp

// This file tries the WebSocket frames on examples of RFC 6455 and on anything else.

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

// The examples of RFC 6455, section 5.7, and what must not be taken.
func TestFrameHead(t *testing.T) {
	for _, test := range []struct {
		hex  string
		want frameHead
		size int
		err  error
	}{
		{"810548656c6c6f", frameHead{opcode: opText, final: true, length: 5}, 2, nil},
		{"818537fa213d7f9f4d5158", frameHead{opcode: opText, final: true, masked: true, key: [4]byte{0x37, 0xfa, 0x21, 0x3d}, length: 5}, 6, nil},
		{"010348656c", frameHead{opcode: opText, length: 3}, 2, nil},
		{"80026c6f", frameHead{final: true, length: 2}, 2, nil},
		{"890548656c6c6f", frameHead{opcode: opPing, final: true, length: 5}, 2, nil},
		{"827e0100", frameHead{opcode: opBinary, final: true, length: 256}, 4, nil},
		{"827f0000000000010000", frameHead{opcode: opBinary, final: true, length: 65536}, 10, nil},
		{"82", frameHead{}, 0, nil},
		{"827e01", frameHead{}, 0, nil},
		{"827f00000000000100", frameHead{}, 0, nil},
		{"8285373737", frameHead{}, 0, nil},
		{"c200", frameHead{}, 0, errReserved},
		{"a200", frameHead{}, 0, errReserved},
		{"9200", frameHead{}, 0, errReserved},
		{"8300", frameHead{}, 0, errReserved},
		{"8b00", frameHead{}, 0, errReserved},
		{"0900", frameHead{}, 0, errControl},
		{"887e007e", frameHead{}, 0, errControl},
		{"827e007d", frameHead{}, 0, errLength},
		{"827f000000000000ffff", frameHead{}, 0, errLength},
		{"827f8000000000000000", frameHead{}, 0, errLength},
	} {
		b, err := hex.DecodeString(test.hex)
		if err != nil {
			t.Fatal(err)
		}
		var h frameHead
		size, err := h.decode(b)
		if size != test.size || !errors.Is(err, test.err) || size > 0 && h != test.want {
			t.Errorf("%s: %+v, %d, %v", test.hex, h, size, err)
		}
	}
}

func TestParseClose(t *testing.T) {
	for payload, want := range map[string]error{
		"": peerClosed{statusNone}, "\x03\xe8": peerClosed{1000}, "\x03\xe9bye": peerClosed{statusGoingAway}, "\x0f\xa0": peerClosed{4000},
		"\x03": errStatus, "\x03\xe7": errStatus, "\x03\xec": errStatus, "\x03\xed": errStatus, "\x03\xee": errStatus, "\x03\xf7": errStatus, "\x13\x88": errStatus,
		"\x03\xe8\xff": errUTF8,
	} {
		if got := parseClose([]byte(payload)); !errors.Is(got, want) {
			t.Errorf("%x: %v", payload, got)
		}
	}
}

// FuzzFrame wants that what is read can be written again, and that a frame of ours is read as what it was.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0x82, 0x85, 1, 2, 3, 4, 'h', 'e', 'l', 'l', 'o'}, uint32(7))
	f.Add([]byte{0x82, 0x7e, 1, 0}, uint32(0))
	f.Add(bytes.Repeat([]byte{0x89, 0x7f}, 70_000), uint32(1<<31))
	f.Fuzz(func(t *testing.T, data []byte, seed uint32) {
		var h frameHead
		size, err := h.decode(data)
		if err != nil && size != 0 || size > len(data) || size > maxHead {
			t.Fatalf("%d bytes of head in %d, %v", size, len(data), err)
		}
		if err == nil && size > 0 && h.final && h.length <= uint64(len(data)-size) {
			payload := bytes.Clone(data[size:][:h.length])
			key := &h.key
			if h.masked {
				mask(payload, h.key)
			} else {
				key = nil
			}
			if again := appendFrame(nil, h.opcode, key, payload); !bytes.Equal(again, data[:size+int(h.length)]) {
				t.Errorf("%x became %x", data, again)
			}
		}
		key := [4]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)}
		ours := appendFrame(nil, opBinary, &key, data)
		size, err = h.decode(ours)
		if err != nil || h.length != uint64(len(data)) || h.key != key || !h.final || !h.masked {
			t.Fatalf("our frame is %+v, %v", h, err)
		}
		if mask(ours[size:], key); !bytes.Equal(ours[size:], data) {
			t.Error("not what was masked")
		}
	})
}
