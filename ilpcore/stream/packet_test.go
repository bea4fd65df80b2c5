package stream

// This file checks what Decode takes and refuses: hostile plaintexts, carriers, and that nothing allocates.

import (
	"bytes"
	"errors"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// plaintext puts frames behind a head that announces count (a VarUInt) of them.
func plaintext(count string, frames ...string) []byte {
	b := []byte("\x01\x0c\x01\x05\x01\x0a" + count)
	for _, f := range frames {
		b = append(b, f...)
	}
	return b
}

func TestDecodeTakes(t *testing.T) {
	money := "\x11\x04\x01\x01\x01\x07" // stream 1, 7 shares
	for _, test := range []struct {
		name            string
		in              []byte
		frames, unknown int
	}{
		{name: "no frames", in: plaintext("\x01\x00")},
		{name: "one frame", in: plaintext("\x01\x01", money), frames: 1},
		{name: "junk follows", in: plaintext("\x01\x01", money, "\x00\x00\x00\xff"), frames: 1},
		{name: "frames beyond the count are junk", in: plaintext("\x01\x01", money, money, money), frames: 1},
		{name: "junk that is no frame", in: plaintext("\x01\x00", "\x11\x7f")},
		{name: "unknown frames", in: plaintext("\x01\x04", "\x08\x00", money, "\xff\x03abc", "\x00\x00"), frames: 4, unknown: 3},
		{name: "bytes after a frame's last field", in: plaintext("\x01\x01", "\x11\x07\x01\x01\x01\x07abc"), frames: 1},
		{name: "numbers with leading zeros", in: plaintext("\x02\x00\x01", "\x11\x05\x02\x00\x01\x01\x07"), frames: 1},
		{name: "empty texts", in: plaintext("\x01\x02", "\x01\x02\x09\x00", "\x02\x01\x00"), frames: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Decode(test.in)
			if err != nil || p.Type != ilpcore.TypePrepare || p.Sequence != 5 || p.PrepareAmount != 10 {
				t.Fatalf("%+v, %v", p, err)
			}
			if p.FrameCount() != test.frames || p.UnknownFrames() != test.unknown {
				t.Errorf("%d frames, %d unknown; want %d, %d", p.FrameCount(), p.UnknownFrames(), test.frames, test.unknown)
			}
			known := 0
			for f := range p.Frames() {
				if f.Type == FrameStreamMoney && f.StreamMoney() != (StreamMoney{1, 7}) {
					t.Errorf("%+v", f.StreamMoney())
				}
				known++
			}
			if known != test.frames-test.unknown {
				t.Errorf("%d known frames, want %d", known, test.frames-test.unknown)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	money := "\x11\x04\x01\x01\x01\x07"
	for _, test := range []struct {
		name string
		in   []byte
		err  error
	}{
		{name: "nothing", err: ErrHead},
		{name: "version only", in: []byte{1}, err: ErrHead},
		{name: "version 0", in: []byte("\x00\x0c\x01\x00\x01\x00\x01\x00"), err: ErrVersion},
		{name: "version 2", in: []byte("\x02\x0c\x01\x00\x01\x00\x01\x00"), err: ErrVersion},
		{name: "type 11", in: []byte("\x01\x0b\x01\x00\x01\x00\x01\x00"), err: ErrPacketType},
		{name: "type 15", in: []byte("\x01\x0f\x01\x00\x01\x00\x01\x00"), err: ErrPacketType},
		{name: "no sequence", in: []byte("\x01\x0c"), err: ErrHead},
		{name: "empty sequence", in: []byte("\x01\x0c\x00\x01\x00\x01\x00"), err: ErrHead},
		{name: "sequence of 9 bytes", in: []byte("\x01\x0c\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x01\x00"), err: ErrHead},
		{name: "amount of 9 bytes", in: []byte("\x01\x0c\x01\x00\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00"), err: ErrHead},
		{name: "no count", in: plaintext(""), err: ErrHead},
		{name: "count of 9 bytes", in: plaintext("\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00"), err: ErrHead},
		{name: "lying length of the sequence", in: []byte("\x01\x0c\x88\xff\xff\xff\xff\xff\xff\xff\xff\x00"), err: ErrHead},
		{name: "length 128 with no digits", in: []byte("\x01\x0c\x80\x00\x01\x00\x01\x00"), err: ErrHead},
		{name: "2^64-1 frames in no bytes", in: plaintext("\x08\xff\xff\xff\xff\xff\xff\xff\xff"), err: ErrFrames},
		{name: "2^63 frames", in: plaintext("\x08\x80\x00\x00\x00\x00\x00\x00\x00", money), err: ErrFrames},
		{name: "one frame too few", in: plaintext("\x01\x02", money), err: ErrFrames},
		{name: "a frame of one byte", in: plaintext("\x01\x01", "\x11"), err: ErrFrames},
		{name: "lying frame length", in: plaintext("\x01\x01", "\x11\x7f\x01\x01\x01\x07"), err: ErrFrames},
		{name: "lying long frame length", in: plaintext("\x01\x01", "\x11\x84\x7f\xff\xff\xff\x01\x01"), err: ErrFrames},
		{name: "frame length of 127 digits", in: plaintext("\x01\x01", "\x11\xff\x01\x01\x01\x07"), err: ErrFrames},
		{name: "frame length not canonical", in: plaintext("\x01\x01", "\x11\x81\x04\x01\x01\x01\x07"), err: ErrFrames},
		{name: "lying length of an unknown frame", in: plaintext("\x01\x01", "\x99\x05abc"), err: ErrFrames},
		{name: "frame without its fields", in: plaintext("\x01\x01", "\x11\x00"), err: ErrFrame},
		{name: "field reaches past its frame", in: plaintext("\x01\x02", "\x11\x03\x01\x01\x01", money), err: ErrFrame},
		{name: "stream id of 9 bytes", in: plaintext("\x01\x01", "\x11\x0c\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x07"), err: ErrFrame},
		{name: "shares of 9 bytes", in: plaintext("\x01\x01", "\x11\x0c\x01\x01\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00"), err: ErrFrame},
		{name: "totalReceived of 9 bytes", in: plaintext("\x01\x01", "\x12\x0e\x01\x01\x01\x07\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00"), err: ErrFrame},
		{name: "empty receiveMax", in: plaintext("\x01\x01", "\x12\x05\x01\x01\x00\x01\x00"), err: ErrFrame},
		{name: "lying data length", in: plaintext("\x01\x01", "\x14\x06\x01\x01\x01\x00\x7fa"), err: ErrFrame},
		{name: "asset details without scale", in: plaintext("\x01\x01", "\x07\x04\x03ABC"), err: ErrFrame},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Decode(test.in)
			if !errors.Is(err, test.err) || p.FrameCount() != 0 {
				t.Errorf("%+v, %v; want %v", p, err, test.err)
			}
			if n := testing.AllocsPerRun(10, func() { _, _ = Decode(test.in) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestDecodeEveryTruncation(t *testing.T) {
	for _, f := range readFixtures(t) {
		for n := range f.Buffer {
			if _, err := Decode(f.Buffer[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes are a packet", f.Name, n, len(f.Buffer))
			}
		}
	}
}

func TestSaturatingFields(t *testing.T) {
	for _, test := range []struct {
		digits string
		want   amount.Amount
	}{
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff", amount.Max},
		{"\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00", amount.Max},
		{"\x20" + string(bytes.Repeat([]byte{0xff}, 32)), amount.Max},
		{"\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x2a", 42},
	} {
		contents := "\x01\x03" + test.digits + "\x01\x04"
		length := string(ilpcore.AppendLength(nil, len(contents)))
		p, err := Decode(plaintext("\x01\x02", "\x12"+length+contents, "\x13"+length+contents))
		if err != nil {
			t.Fatal(err)
		}
		for f := range p.Frames() {
			if f.Type == FrameStreamMaxMoney && f.StreamMaxMoney() != (StreamMaxMoney{3, test.want, 4}) {
				t.Errorf("%x: %+v", test.digits, f.StreamMaxMoney())
			}
			if f.Type == FrameStreamMoneyBlocked && f.StreamMoneyBlocked() != (StreamMoneyBlocked{3, test.want, 4}) {
				t.Errorf("%x: %+v", test.digits, f.StreamMoneyBlocked())
			}
		}
	}
}

func TestDecodeBelongsToItsCarrier(t *testing.T) {
	for _, test := range []struct {
		packetType                 uint8
		request, fulfilled, reject error
	}{
		{ilpcore.TypePrepare, nil, ErrPacketType, ErrPacketType},
		{ilpcore.TypeFulfill, ErrPacketType, nil, ErrPacketType},
		{ilpcore.TypeReject, ErrPacketType, ErrPacketType, nil},
	} {
		b := Begin(nil, test.packetType, 9, 1)
		plain, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeRequest(plain); !errors.Is(err, test.request) {
			t.Errorf("type %d in a Prepare: %v", test.packetType, err)
		}
		if _, err := DecodeReply(plain, true, 9); !errors.Is(err, test.fulfilled) {
			t.Errorf("type %d in a Fulfill: %v", test.packetType, err)
		}
		if _, err := DecodeReply(plain, false, 9); !errors.Is(err, test.reject) {
			t.Errorf("type %d in a Reject: %v", test.packetType, err)
		}
		if _, err := DecodeReply(plain, test.packetType == ilpcore.TypeFulfill, 8); err == nil {
			t.Errorf("type %d: a reply to another sequence is taken", test.packetType)
		}
	}
	if _, err := DecodeRequest(nil); !errors.Is(err, ErrHead) {
		t.Error(err)
	}
	if _, err := DecodeReply(nil, true, 0); !errors.Is(err, ErrHead) {
		t.Error(err)
	}
}

func TestWalkingManyFramesAllocatesNothing(t *testing.T) {
	in := manyFrames(10_000)
	var sum uint64
	walk := func() {
		p, err := Decode(in)
		if err != nil {
			t.Fatal(err)
		}
		sum = 0
		for f := range p.Frames() {
			sum += f.StreamMoney().Shares + f.ConnectionMaxData().MaxOffset
		}
	}
	if n := testing.AllocsPerRun(5, walk); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if sum != 5_000*7 {
		t.Errorf("sum %d", sum)
	}
}

// manyFrames returns a packet of n frames, half of them of an unknown type.
func manyFrames(n int) []byte {
	b := ilpcore.AppendVarUint(plaintext(""), uint64(n))
	for range n / 2 {
		b = append(b, "\x03\x02\x01\x07\x55\x00"...)
	}
	return b
}

func TestFramesCanStopEarly(t *testing.T) {
	p, err := Decode(manyFrames(10))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range p.Frames() {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d frames", n)
	}
}

func TestFieldsOfAnotherTypeAreZero(t *testing.T) {
	p, err := Decode(plaintext("\x01\x01", "\x11\x04\x01\x01\x01\x07"))
	if err != nil {
		t.Fatal(err)
	}
	for f := range p.Frames() {
		if f.StreamMaxData() != (StreamMaxData{}) || f.StreamData().Data != nil || f.ConnectionClose().Code != 0 {
			t.Error("the fields of a StreamMoney frame are read as another's")
		}
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		FrameStreamMoney.String():       "StreamMoney",
		FrameType(0x18).String():        "0x18",
		NoError.String():                "NoError",
		ApplicationError.String():       "ApplicationError",
		ErrorCode(0).String():           "0",
		ErrorCode(255).String():         "255",
		FlowControlError.String():       "FlowControlError",
		FrameStreamDataBlocked.String(): "StreamDataBlocked",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
