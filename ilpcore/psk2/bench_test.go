package psk2

// This file measures the codec, and a receiver's work on one request.

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

func BenchmarkDecode(b *testing.B) {
	plaintext := unhex(b, readVector(b).Plaintext)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(plaintext); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	p := Packet{Type: TypeResponse, RequestID: 1, Amount: 10, Data: make([]byte, 16)}
	buf := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Append(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReceiveRequest opens, checks and reads one request, and seals the response.
func BenchmarkReceiveRequest(b *testing.B) {
	v := readVector(b)
	keys, data := Keys(unhex(b, v.SharedSecret)), unhex(b, v.Data)
	condition := keys.Condition(data)
	plain, answer, sealed := make([]byte, 0, 256), make([]byte, 0, 64), make([]byte, 0, 128)
	iv := make([]byte, 12)
	random := bytes.NewReader(iv)
	b.ReportAllocs()
	for b.Loop() {
		fulfillment := keys.Fulfillment(data)
		plaintext, err := keys.Open(plain, data)
		if err != nil || sha256.Sum256(fulfillment[:]) != condition {
			b.Fatal(err)
		}
		request, err := DecodeRequest(plaintext)
		if err != nil {
			b.Fatal(err)
		}
		out, err := request.Reply(TypeResponse, 10).Append(answer)
		if err != nil {
			b.Fatal(err)
		}
		random.Reset(iv)
		if _, err := keys.Seal(sealed, out, random); err != nil {
			b.Fatal(err)
		}
	}
}
