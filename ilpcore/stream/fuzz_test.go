package stream

// This file holds the fuzz targets of every decoder.

import (
	"bytes"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

// FuzzDecode reads any plaintext, and checks that what was read, written again, reads the same.
func FuzzDecode(f *testing.F) {
	for _, fixture := range readFixtures(f) {
		f.Add(fixture.Buffer)
	}
	f.Add(manyFrames(300))
	f.Add(plaintext("\x01\x02", "\x99\x01\x00", "\x03\x02\x01\x00", "junk"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			if p.FrameCount() != 0 {
				t.Error("a refused packet has frames")
			}
			return
		}
		plain, err := rewrite(p)
		if err != nil {
			return // longer than a packet may be, because b was
		}
		again, err := Decode(plain)
		if err != nil {
			t.Fatalf("%x was read, but %x, the same written again, is refused: %v", b, plain, err)
		}
		if again.Type != p.Type || again.Sequence != p.Sequence || again.PrepareAmount != p.PrepareAmount ||
			again.FrameCount() != p.FrameCount()-p.UnknownFrames() {
			t.Errorf("%+v became %+v", p, again)
		}
		twice, err := rewrite(again)
		if err != nil || !bytes.Equal(plain, twice) {
			t.Errorf("%x became %x, %v", plain, twice, err)
		}
	})
}

// rewrite builds a packet with the known frames of p.
func rewrite(p Packet) ([]byte, error) {
	b := Begin(nil, p.Type, p.Sequence, p.PrepareAmount)
	for f := range p.Frames() {
		switch f.Type {
		case FrameConnectionClose:
			b.ConnectionClose(f.ConnectionClose())
		case FrameConnectionNewAddress:
			b.ConnectionNewAddress(f.ConnectionNewAddress())
		case FrameConnectionMaxData:
			b.ConnectionMaxData(f.ConnectionMaxData())
		case FrameConnectionDataBlocked:
			b.ConnectionDataBlocked(f.ConnectionDataBlocked())
		case FrameConnectionMaxStreamID:
			b.ConnectionMaxStreamID(f.ConnectionMaxStreamID())
		case FrameConnectionStreamIDBlocked:
			b.ConnectionStreamIDBlocked(f.ConnectionStreamIDBlocked())
		case FrameConnectionAssetDetails:
			b.ConnectionAssetDetails(f.ConnectionAssetDetails())
		case FrameStreamClose:
			b.StreamClose(f.StreamClose())
		case FrameStreamMoney:
			b.StreamMoney(f.StreamMoney())
		case FrameStreamMaxMoney:
			b.StreamMaxMoney(f.StreamMaxMoney())
		case FrameStreamMoneyBlocked:
			b.StreamMoneyBlocked(f.StreamMoneyBlocked())
		case FrameStreamData:
			b.StreamData(f.StreamData())
		case FrameStreamMaxData:
			b.StreamMaxData(f.StreamMaxData())
		case FrameStreamDataBlocked:
			b.StreamDataBlocked(f.StreamDataBlocked())
		case FrameStreamReceipt:
			b.StreamReceipt(f.StreamReceipt())
		}
	}
	return b.Finish()
}

// FuzzReceipt checks that a receipt that verifies is exactly what signing its fields gives.
func FuzzReceipt(f *testing.F) {
	f.Add(unbase64(f, vectorReceipt), make([]byte, 32))
	f.Add([]byte{receiptVersion}, []byte("secret"))
	f.Fuzz(func(t *testing.T, b, secret []byte) {
		r, err := VerifyReceipt(b, secret)
		if err != nil {
			return
		}
		if again := r.Append(nil, secret); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

// FuzzOpen opens and reads whatever a stranger sends as the data of a Prepare.
func FuzzOpen(f *testing.F) {
	keys := Keys([]byte("secret"))
	sealed, err := keys.Seal(nil, plaintext("\x01\x00"), bytes.NewReader(make([]byte, 12)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:ilpcore.EnvelopeOverhead])
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, err := keys.Open(nil, data)
		if err != nil {
			return
		}
		if len(plain) != len(data)-ilpcore.EnvelopeOverhead {
			t.Errorf("%d bytes from %d", len(plain), len(data))
		}
		_, _ = Decode(plain)
	})
}
