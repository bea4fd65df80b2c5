package stream

// This file checks what Builder writes beyond the vectors: long frames, many frames, limits, and that all of it reads back.

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

func TestBuilderAppends(t *testing.T) {
	b := Begin([]byte("before"), ilpcore.TypeFulfill, 1, 2)
	got, err := b.Finish()
	if err != nil || string(got) != "before\x01\x0d\x01\x01\x01\x02\x01\x00" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBuilderWritesManyFrames(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 257, 8000} {
		b := Begin(nil, ilpcore.TypePrepare, 1, 2)
		for i := range n {
			b.ConnectionMaxData(ConnectionMaxData{MaxOffset: uint64(i % 200)})
		}
		plain, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		p, err := Decode(plain)
		if err != nil || p.FrameCount() != n {
			t.Fatalf("%d frames: %d, %v", n, p.FrameCount(), err)
		}
		i := 0
		for f := range p.Frames() {
			if f.ConnectionMaxData().MaxOffset != uint64(i%200) {
				t.Fatalf("frame %d of %d: %+v", i, n, f.ConnectionMaxData())
			}
			i++
		}
	}
}

func TestBuilderWritesLongFrames(t *testing.T) {
	for _, n := range []int{122, 123, 127, 128, 250, 255, 256, 32_000} {
		data := bytes.Repeat([]byte{0xab}, n)
		b := Begin(nil, ilpcore.TypePrepare, 1, 2)
		b.StreamData(StreamData{StreamID: 1, Offset: 7, Data: data})
		b.StreamMoney(StreamMoney{StreamID: 1, Shares: 3})
		plain, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		p, err := Decode(plain)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		for f := range p.Frames() {
			got := f.StreamData()
			if f.Type == FrameStreamData && (!bytes.Equal(got.Data, data) || got.StreamID != 1 || got.Offset != 7) {
				t.Errorf("%d bytes come back as %d", n, len(got.Data))
			}
			if f.Type == FrameStreamMoney && f.StreamMoney() != (StreamMoney{1, 3}) {
				t.Errorf("after %d bytes: %+v", n, f.StreamMoney())
			}
		}
	}
}

func TestBuilderRefusesWhatFitsNoPacket(t *testing.T) {
	fits := 0
	for n := MaxPlaintext - 30; n <= MaxPlaintext; n++ {
		b := Begin([]byte("before"), ilpcore.TypePrepare, 1, 2)
		b.StreamData(StreamData{StreamID: 1, Data: make([]byte, n)})
		plain, err := b.Finish()
		switch {
		case err == nil && len(plain)-len("before") > MaxPlaintext:
			t.Errorf("%d bytes of data: a packet of %d bytes", n, len(plain))
		case err == nil:
			fits = len(plain) - len("before")
		case !errors.Is(err, ErrTooLong):
			t.Errorf("%d bytes of data: %v", n, err)
		}
	}
	if fits != MaxPlaintext {
		t.Errorf("the longest packet has %d bytes, want %d", fits, MaxPlaintext)
	}
	sealed, err := Keys(nil).Seal(nil, make([]byte, MaxPlaintext), bytes.NewReader(make([]byte, 12)))
	if err != nil || len(sealed) != ilpcore.MaxData {
		t.Errorf("sealed: %d bytes, %v", len(sealed), err)
	}
}

func TestBuildingAllocatesNothing(t *testing.T) {
	room := make([]byte, 0, 512)
	message := bytes.Repeat([]byte("long "), 40)
	if n := testing.AllocsPerRun(10, func() {
		b := Begin(room, ilpcore.TypeReject, 1<<40, amount.Max)
		b.StreamMaxMoney(StreamMaxMoney{StreamID: 1, ReceiveMax: amount.Max, TotalReceived: 5})
		b.ConnectionClose(ConnectionClose{Code: ApplicationError, Message: message})
		if _, err := b.Finish(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestRoundTrip builds packets of money frames and data and reads them back, with junk behind them.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packetType := rapid.Uint8Range(ilpcore.TypePrepare, ilpcore.TypeReject).Draw(t, "type")
		sequence, least := rapid.Uint64().Draw(t, "sequence"), amount.Amount(rapid.Uint64().Draw(t, "amount"))
		ids := rapid.SliceOf(rapid.Uint64()).Draw(t, "ids")
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data")
		junk := rapid.SliceOf(rapid.Byte()).Draw(t, "junk")

		b := Begin(nil, packetType, sequence, least)
		for _, id := range ids {
			b.StreamMaxMoney(StreamMaxMoney{id, amount.Amount(id / 2), amount.Amount(id / 3)})
			b.StreamData(StreamData{id, id / 5, data})
		}
		plain, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		p, err := Decode(append(plain, junk...))
		if err != nil {
			t.Fatal(err)
		}
		if p.Type != packetType || p.Sequence != sequence || p.PrepareAmount != least || p.FrameCount() != 2*len(ids) {
			t.Fatalf("head %+v", p)
		}
		i := 0
		for f := range p.Frames() {
			id := ids[i/2]
			if i%2 == 0 && f.StreamMaxMoney() != (StreamMaxMoney{id, amount.Amount(id / 2), amount.Amount(id / 3)}) {
				t.Fatalf("frame %d: %+v", i, f.StreamMaxMoney())
			}
			if got := f.StreamData(); i%2 == 1 && (got.StreamID != id || got.Offset != id/5 || !bytes.Equal(got.Data, data)) {
				t.Fatalf("frame %d: %+v", i, got)
			}
			i++
		}
	})
}
