package stream

// This file checks the keys against published values, with an envelope written here a second time from its description.

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// envelope seals with a raw AES key: IV | tag | ciphertext.
func envelope(t testing.TB, key, iv, plaintext []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	sealed := gcm.Seal(nil, iv, plaintext, nil)
	tag := sealed[len(plaintext):]
	return bytes.Join([][]byte{iv, tag, sealed[:len(plaintext)]}, nil)
}

func TestEnvelopeOfTheVectors(t *testing.T) {
	sealed := unbase64(t, "Y1UiXpDA1GwAv+h95CEv67O49MOAJQrnYEQMrOFsbv6rrlE=")
	key := unbase64(t, "AOStyoBvoK9/OFhdmf2TzQRrJsCkxH/cj49Ya7RFOEc=")
	if got := envelope(t, key, sealed[:12], []byte("foo bar")); !bytes.Equal(got, sealed) {
		t.Errorf("%x, want %x", got, sealed)
	}
}

func TestKeysOfTheVectors(t *testing.T) {
	keys := Keys([]byte("foo"))
	encryption := unbase64(t, "zfOGMU/uY+EOUCE6tN3WhE77bF/N6pS0wSOmMgEAMEA=")
	data := envelope(t, encryption, make([]byte, 12), []byte("hello"))
	if got, err := keys.Open(nil, data); err != nil || string(got) != "hello" {
		t.Errorf("Open = %q, %v", got, err)
	}
	fulfillment := hmac.New(sha256.New, unbase64(t, "lh8nGJCJosvfUePaU0uxxXK3jNvV2Y+5ivt1GH1Muhs="))
	fulfillment.Write(data)
	got := keys.Fulfillment(data)
	if !bytes.Equal(got[:], fulfillment.Sum(nil)) {
		t.Errorf("fulfillment %x", got)
	}
}

func TestFulfillOfAnotherImplementation(t *testing.T) {
	b, err := os.ReadFile("testdata/paid-http.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		PSK2 struct{ SharedSecret string } `json:"psk2_request"`
		Data struct{ Data string }         `json:"stream_fulfill"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	secret, err := hex.DecodeString(file.PSK2.SharedSecret)
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(file.Data.Data)
	if err != nil {
		t.Fatal(err)
	}
	keys := Keys(secret)
	plain, err := keys.Open(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := DecodeReply(plain, true, 7)
	if err != nil || p.PrepareAmount != 10 || p.FrameCount() != 2 || p.UnknownFrames() != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	again := Begin(nil, ilpcore.TypeFulfill, 7, 10)
	for f := range p.Frames() {
		switch f.Type {
		case FrameStreamMaxMoney:
			if f.StreamMaxMoney() != (StreamMaxMoney{StreamID: 1, ReceiveMax: 10, TotalReceived: 10}) {
				t.Errorf("%+v", f.StreamMaxMoney())
			}
			again.StreamMaxMoney(f.StreamMaxMoney())
		case FrameStreamData:
			if d := f.StreamData(); d.StreamID != 1 || d.Offset != 0 || len(d.Data) != 1 {
				t.Errorf("%+v", d)
			}
			again.StreamData(f.StreamData())
		default:
			t.Errorf("a frame %v", f.Type)
		}
	}
	built, err := again.Finish()
	if err != nil || !bytes.HasPrefix(plain, built) {
		t.Fatalf("built %x, %v; want %x", built, err, plain)
	}
	sealed, err := keys.Seal(nil, plain, bytes.NewReader(data[:12]))
	if err != nil || !bytes.Equal(sealed, data) {
		t.Errorf("sealed %x, %v; want %x", sealed, err, data)
	}
}
