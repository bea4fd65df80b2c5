package psk2

// This file checks the codec and the keys: against another implementation's bytes, hostile plaintexts, and themselves.

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// vector is a request as another implementation reads it.
type vector struct {
	SharedSecret, IV, Plaintext, Data, Fulfillment, Condition string

	LibParses struct {
		Type      uint8
		RequestID uint32
		Amount    string
		Data      string
	}
}

func readVector(t testing.TB) vector {
	t.Helper()
	b, err := os.ReadFile("testdata/paid-http.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Request vector `json:"psk2_request"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Request
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectorOfAnotherImplementation(t *testing.T) {
	v := readVector(t)
	keys := Keys(unhex(t, v.SharedSecret))
	data := unhex(t, v.Data)

	plaintext, err := keys.Open(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(plaintext); got != v.Plaintext {
		t.Errorf("plaintext %s, want %s", got, v.Plaintext)
	}
	fulfillment, condition := keys.Fulfillment(data), keys.Condition(data)
	if got := hex.EncodeToString(fulfillment[:]); got != v.Fulfillment {
		t.Errorf("fulfillment %s, want %s", got, v.Fulfillment)
	}
	if got := hex.EncodeToString(condition[:]); got != v.Condition {
		t.Errorf("condition %s, want %s", got, v.Condition)
	}

	least, err := amount.Parse(v.LibParses.Amount)
	if err != nil {
		t.Fatal(err)
	}
	want := Packet{Type: v.LibParses.Type, RequestID: v.LibParses.RequestID, Amount: least, Data: unhex(t, v.LibParses.Data)}
	got, err := DecodeRequest(plaintext)
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("DecodeRequest = %+v, %v; want %+v", got, err, want)
	}
	again, err := want.Append(nil)
	if err != nil || !bytes.Equal(again, plaintext) {
		t.Errorf("Append = %x, %v", again, err)
	}
	sealed, err := keys.Seal(nil, again, bytes.NewReader(unhex(t, v.IV)))
	if err != nil || !bytes.Equal(sealed, data) {
		t.Errorf("Seal = %x, %v; want %x", sealed, err, data)
	}
}

func TestKeysOfTheRFCText(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, 32)
	sealed, err := RFCKeys(secret).Seal(nil, []byte("text"), bytes.NewReader(make([]byte, 12)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Keys(secret).Open(nil, sealed); err == nil {
		t.Error("both labels give the same encryption key")
	}
	want := ilpcore.NewEndToEnd(secret, "ilp_psk_encryption", "ilp_psk2_fulfillment")
	if _, err := want.Open(nil, sealed); err != nil {
		t.Error(err)
	}
	if Keys(secret).Fulfillment(sealed) != RFCKeys(secret).Fulfillment(sealed) {
		t.Error("the fulfillment depends on the encryption label")
	}
}

func TestDecode(t *testing.T) {
	head := "04" + "01020304" + "000000000000000a"
	want := Packet{Type: TypeRequest, RequestID: 0x01020304, Amount: 10, Data: []byte("abc")}
	for _, test := range []struct {
		name, in string
		want     Packet
		err      error
	}{
		{name: "request", in: head + "03616263", want: want},
		{name: "junk follows", in: head + "03616263" + "00000000ff", want: want},
		{name: "no data", in: "05ffffffffffffffffffffffff00", want: Packet{Type: 5, RequestID: 1<<32 - 1, Amount: amount.Max, Data: []byte{}}},
		{name: "error", in: "06" + head[2:] + "00", want: Packet{Type: 6, RequestID: 0x01020304, Amount: 10, Data: []byte{}}},
		{name: "empty", in: "", err: ErrMalformed},
		{name: "type only", in: "04", err: ErrMalformed},
		{name: "no length", in: head, err: ErrMalformed},
		{name: "lying length", in: head + "7f6162", err: ErrMalformed},
		{name: "lying long length", in: head + "847fffffff6162", err: ErrMalformed},
		{name: "lying 64-bit length", in: head + "88ffffffffffffffff61", err: ErrMalformed},
		{name: "length of 127 bytes", in: head + "ff" + "01", err: ErrMalformed},
		{name: "length not canonical", in: head + "8103616263", err: ErrMalformed},
		{name: "legacy chunk", in: "00", err: ErrLegacy},
		{name: "legacy last chunk", in: "01" + head, err: ErrLegacy},
		{name: "legacy fulfillment", in: "02" + head, err: ErrLegacy},
		{name: "legacy reject", in: "03" + head, err: ErrLegacy},
		{name: "type 7", in: "07" + head[2:] + "00", err: ErrType},
		{name: "type 255", in: "ff", err: ErrType},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := unhex(t, test.in)
			got, err := Decode(in)
			if !errors.Is(err, test.err) || !cmp.Equal(got, test.want) {
				t.Errorf("Decode = %+v, %v; want %+v, %v", got, err, test.want, test.err)
			}
			if n := testing.AllocsPerRun(10, func() { _, _ = Decode(in) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestDecodeBelongsToItsCarrier(t *testing.T) {
	for _, test := range []struct {
		packetType        uint8
		request           error
		fulfilled, reject error
	}{
		{TypeRequest, nil, ErrType, ErrType},
		{TypeResponse, ErrType, nil, ErrType},
		{TypeError, ErrType, ErrType, nil},
	} {
		b, err := Packet{Type: test.packetType, RequestID: 9}.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeRequest(b); !errors.Is(err, test.request) {
			t.Errorf("type %d in a Prepare: %v", test.packetType, err)
		}
		if _, err := DecodeReply(b, true, 9); !errors.Is(err, test.fulfilled) {
			t.Errorf("type %d in a Fulfill: %v", test.packetType, err)
		}
		if _, err := DecodeReply(b, false, 9); !errors.Is(err, test.reject) {
			t.Errorf("type %d in a Reject: %v", test.packetType, err)
		}
	}
}

func TestReplyRepeatsTheRequestID(t *testing.T) {
	request := Packet{Type: TypeRequest, RequestID: 77, Amount: 5, Data: []byte("memo")}
	b, err := request.Reply(TypeError, 6).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeReply(b, false, 77)
	if want := (Packet{Type: TypeError, RequestID: 77, Amount: 6, Data: []byte{}}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("reply = %+v, %v; want %+v", got, err, want)
	}
	if _, err := DecodeReply(b, false, 78); !errors.Is(err, ErrRequestID) {
		t.Errorf("reply to another request: %v", err)
	}
	if _, err := DecodeRequest(nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("empty request: %v", err)
	}
	if _, err := DecodeReply(nil, true, 77); !errors.Is(err, ErrMalformed) {
		t.Errorf("empty reply: %v", err)
	}
}

func TestAppendRefuses(t *testing.T) {
	dst := []byte("kept")
	for _, test := range []struct {
		packet Packet
		err    error
	}{
		{Packet{Type: LegacyReject}, ErrType},
		{Packet{Type: 7}, ErrType},
		{Packet{Type: TypeRequest, Data: make([]byte, MaxData+1)}, ErrTooLong},
	} {
		if got, err := test.packet.Append(dst); !errors.Is(err, test.err) || string(got) != "kept" {
			t.Errorf("type %d: %q, %v; want %v", test.packet.Type, got, err, test.err)
		}
	}
}

func TestLongestPacketFillsAPrepare(t *testing.T) {
	plaintext, err := Packet{Type: TypeRequest, Data: make([]byte, MaxData)}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Keys(nil).Seal(nil, plaintext, bytes.NewReader(make([]byte, 12)))
	if err != nil || len(data) != ilpcore.MaxData {
		t.Errorf("%d bytes, %v; want %d", len(data), err, ilpcore.MaxData)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Packet{
			Type:      rapid.Uint8Range(TypeRequest, TypeError).Draw(t, "type"),
			RequestID: rapid.Uint32().Draw(t, "request id"),
			Amount:    amount.Amount(rapid.Uint64().Draw(t, "amount")),
			Data:      rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data"),
		}
		junk := rapid.SliceOf(rapid.Byte()).Draw(t, "junk")
		b, err := want.Append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(append(b[len("before"):], junk...))
		if err != nil || !cmp.Equal(got, want) {
			t.Fatalf("Decode = %+v, %v; want %+v", got, err, want)
		}
	})
}
