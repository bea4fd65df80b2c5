package stream

// This file checks the codec against the published test vectors, in both directions.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
)

// fixture is one entry of testdata/stream-packets.json.
type fixture struct {
	Name   string
	Packet struct {
		Sequence   string
		PacketType uint8
		Amount     string
		Frames     []map[string]any
	}
	Buffer     []byte
	DecodeOnly bool `json:"decode_only"`
}

func readFixtures(t testing.TB) []fixture {
	t.Helper()
	b, err := os.ReadFile("testdata/stream-packets.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []fixture
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 53 {
		t.Fatalf("%d fixtures, want 53", len(all))
	}
	return all
}

func TestFixtures(t *testing.T) {
	for _, f := range readFixtures(t) {
		t.Run(f.Name, func(t *testing.T) {
			p, err := Decode(f.Buffer)
			if err != nil {
				t.Fatal(err)
			}
			if p.Type != f.Packet.PacketType || p.Sequence != number(t, f.Packet.Sequence) ||
				uint64(p.PrepareAmount) != number(t, f.Packet.Amount) || p.FrameCount() != len(f.Packet.Frames) || p.UnknownFrames() != 0 {
				t.Errorf("Decode = %+v, want %+v", p, f.Packet)
			}
			var got []map[string]any
			for frame := range p.Frames() {
				got = append(got, describe(t, frame))
			}
			want := f.Packet.Frames
			if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			if f.DecodeOnly {
				return
			}
			encoded := encode(t, p.Type, p.Sequence, p.PrepareAmount, f.Packet.Frames)
			if !bytes.Equal(encoded, f.Buffer) {
				t.Errorf("encoded %x, want %x", encoded, f.Buffer)
			}
		})
	}
}

// describe says what a decoded frame holds, in the fixtures' terms.
func describe(t *testing.T, f Frame) map[string]any {
	t.Helper()
	m := map[string]any{"type": float64(f.Type), "name": f.Type.String()}
	set := func(keysAndValues ...any) {
		for i := 0; i < len(keysAndValues); i += 2 {
			key := keysAndValues[i].(string)
			switch v := keysAndValues[i+1].(type) {
			case []byte:
				m[key] = string(v)
			case uint8:
				m[key] = float64(v)
			default:
				m[key] = fmt.Sprint(v)
			}
		}
	}
	base := base64.StdEncoding.EncodeToString
	switch f.Type {
	case FrameConnectionClose:
		set("errorCode", uint8(f.ConnectionClose().Code), "errorMessage", f.ConnectionClose().Message)
	case FrameConnectionNewAddress:
		set("sourceAccount", f.ConnectionNewAddress().Address)
	case FrameConnectionMaxData:
		set("maxOffset", f.ConnectionMaxData().MaxOffset)
	case FrameConnectionDataBlocked:
		set("maxOffset", f.ConnectionDataBlocked().MaxOffset)
	case FrameConnectionMaxStreamID:
		set("maxStreamId", f.ConnectionMaxStreamID().MaxStreamID)
	case FrameConnectionStreamIDBlocked:
		set("maxStreamId", f.ConnectionStreamIDBlocked().MaxStreamID)
	case FrameConnectionAssetDetails:
		set("sourceAssetCode", f.ConnectionAssetDetails().Code, "sourceAssetScale", f.ConnectionAssetDetails().Scale)
	case FrameStreamClose:
		v := f.StreamClose()
		set("streamId", v.StreamID, "errorCode", uint8(v.Code), "errorMessage", v.Message)
	case FrameStreamMoney:
		set("streamId", f.StreamMoney().StreamID, "shares", f.StreamMoney().Shares)
	case FrameStreamMaxMoney:
		v := f.StreamMaxMoney()
		set("streamId", v.StreamID, "receiveMax", v.ReceiveMax, "totalReceived", v.TotalReceived)
	case FrameStreamMoneyBlocked:
		v := f.StreamMoneyBlocked()
		set("streamId", v.StreamID, "sendMax", v.SendMax, "totalSent", v.TotalSent)
	case FrameStreamData:
		v := f.StreamData()
		set("streamId", v.StreamID, "offset", v.Offset, "data", base(v.Data))
	case FrameStreamMaxData:
		set("streamId", f.StreamMaxData().StreamID, "maxOffset", f.StreamMaxData().MaxOffset)
	case FrameStreamDataBlocked:
		set("streamId", f.StreamDataBlocked().StreamID, "maxOffset", f.StreamDataBlocked().MaxOffset)
	case FrameStreamReceipt:
		set("streamId", f.StreamReceipt().StreamID, "receipt", base(f.StreamReceipt().Receipt))
	default:
		t.Fatalf("a frame of type %v", f.Type)
	}
	return m
}

// encode builds a packet from the fixtures' description of its frames.
func encode(t *testing.T, packetType uint8, sequence uint64, least amount.Amount, frames []map[string]any) []byte {
	t.Helper()
	b := Begin(nil, packetType, sequence, least)
	for _, m := range frames {
		n := func(key string) uint64 { return number(t, m[key].(string)) }
		a := func(key string) amount.Amount { return amount.Amount(n(key)) }
		text := func(key string) []byte { return []byte(m[key].(string)) }
		small := func(key string) uint8 { return uint8(m[key].(float64)) }
		raw := func(key string) []byte {
			p, err := base64.StdEncoding.DecodeString(m[key].(string))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		switch FrameType(small("type")) {
		case FrameConnectionClose:
			b.ConnectionClose(ConnectionClose{ErrorCode(small("errorCode")), text("errorMessage")})
		case FrameConnectionNewAddress:
			b.ConnectionNewAddress(ConnectionNewAddress{text("sourceAccount")})
		case FrameConnectionMaxData:
			b.ConnectionMaxData(ConnectionMaxData{n("maxOffset")})
		case FrameConnectionDataBlocked:
			b.ConnectionDataBlocked(ConnectionDataBlocked{n("maxOffset")})
		case FrameConnectionMaxStreamID:
			b.ConnectionMaxStreamID(ConnectionMaxStreamID{n("maxStreamId")})
		case FrameConnectionStreamIDBlocked:
			b.ConnectionStreamIDBlocked(ConnectionStreamIDBlocked{n("maxStreamId")})
		case FrameConnectionAssetDetails:
			b.ConnectionAssetDetails(ConnectionAssetDetails{text("sourceAssetCode"), small("sourceAssetScale")})
		case FrameStreamClose:
			b.StreamClose(StreamClose{n("streamId"), ErrorCode(small("errorCode")), text("errorMessage")})
		case FrameStreamMoney:
			b.StreamMoney(StreamMoney{n("streamId"), n("shares")})
		case FrameStreamMaxMoney:
			b.StreamMaxMoney(StreamMaxMoney{n("streamId"), a("receiveMax"), a("totalReceived")})
		case FrameStreamMoneyBlocked:
			b.StreamMoneyBlocked(StreamMoneyBlocked{n("streamId"), a("sendMax"), a("totalSent")})
		case FrameStreamData:
			b.StreamData(StreamData{n("streamId"), n("offset"), raw("data")})
		case FrameStreamMaxData:
			b.StreamMaxData(StreamMaxData{n("streamId"), n("maxOffset")})
		case FrameStreamDataBlocked:
			b.StreamDataBlocked(StreamDataBlocked{n("streamId"), n("maxOffset")})
		case FrameStreamReceipt:
			b.StreamReceipt(StreamReceipt{n("streamId"), raw("receipt")})
		default:
			t.Fatalf("a frame of type %v", m["type"])
		}
	}
	encoded, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func number(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
