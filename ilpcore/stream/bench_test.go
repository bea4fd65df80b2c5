package stream

// This file measures a receiver's work on one packet: everything between the bytes of a Prepare and those of its Fulfill.

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// receiver has what one packet in flight needs: the keys, and a buffer for each step.
type receiver struct {
	keys                        *ilpcore.EndToEnd
	random                      io.Reader
	plain, reply, sealed, reuse []byte
}

func newReceiver(secret []byte, random io.Reader) *receiver {
	room := func() []byte { return make([]byte, 0, 1024) }
	return &receiver{keys: Keys(secret), random: random, plain: room(), reply: room(), sealed: room(), reuse: room()}
}

// receive answers an encoded Prepare with an encoded Fulfill.
func (r *receiver) receive(t testing.TB, packet []byte) []byte {
	prepare, err := ilpcore.DecodePrepare(packet)
	if err != nil {
		t.Fatal(err)
	}
	fulfillment := r.keys.Fulfillment(prepare.Data)
	if sha256.Sum256(fulfillment[:]) != prepare.Condition {
		t.Fatal("the condition does not match")
	}
	plain, err := r.keys.Open(r.plain, prepare.Data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := DecodeRequest(plain)
	if err != nil || prepare.Amount < p.PrepareAmount {
		t.Fatal(p, err)
	}
	var shares uint64
	for f := range p.Frames() {
		switch f.Type {
		case FrameStreamMoney:
			shares += f.StreamMoney().Shares
		case FrameConnectionClose:
			t.Fatal("closed")
		}
	}
	if shares == 0 {
		t.Fatal("no shares")
	}
	b := Begin(r.reply, ilpcore.TypeFulfill, p.Sequence, prepare.Amount)
	b.StreamMaxMoney(StreamMaxMoney{StreamID: 1, ReceiveMax: 1_000_000, TotalReceived: prepare.Amount})
	b.StreamMaxData(StreamMaxData{StreamID: 1, MaxOffset: 16384})
	b.ConnectionAssetDetails(ConnectionAssetDetails{Code: []byte("USD"), Scale: 9})
	answer, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := r.keys.Seal(r.sealed, answer, r.random)
	if err != nil {
		t.Fatal(err)
	}
	reply := ilpcore.Fulfill(fulfillment, sealed)
	out, err := reply.Append(r.reuse)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// encodedPrepare returns a Prepare whose data field has 250 bytes, as a sender with money and data makes it.
func encodedPrepare(t testing.TB, secret []byte) []byte {
	b := Begin(nil, ilpcore.TypePrepare, 1234, 90)
	b.StreamMoney(StreamMoney{StreamID: 1, Shares: 100})
	b.StreamMaxMoney(StreamMaxMoney{StreamID: 1, ReceiveMax: 0})
	b.StreamData(StreamData{StreamID: 1, Data: make([]byte, 190)})
	plain, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	keys := Keys(secret)
	data, err := keys.Seal(nil, plain, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != 250 {
		t.Fatalf("%d bytes of data", len(data))
	}
	prepare := ilpcore.Prepare{
		Amount:      100,
		ExpiresAt:   time.Date(2030, 1, 1, 0, 0, 30, 0, time.UTC),
		Condition:   keys.Condition(data),
		Destination: []byte("test.connector.paydoor.6MAXwXGYZ4j4mp8iVUmVRjWP8vyTBRYt-lm4hHCZcu4"),
		Data:        data,
	}
	packet, err := prepare.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

func TestReceivePacket(t *testing.T) {
	secret := []byte("a shared secret of thirty-two b.")
	packet := encodedPrepare(t, secret)
	r := newReceiver(secret, bufio.NewReaderSize(rand.Reader, 1<<16))
	reply, err := ilpcore.DecodeReply(r.receive(t, packet))
	if err != nil || !reply.Fulfilled {
		t.Fatalf("%+v, %v", reply, err)
	}
	plain, err := r.keys.Open(nil, reply.Data)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := DecodeReply(plain, true, 1234); err != nil || p.PrepareAmount != 100 || p.FrameCount() != 3 {
		t.Errorf("%+v, %v", p, err)
	}
	if n := testing.AllocsPerRun(100, func() { r.receive(t, packet) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkReceivePacket is the whole way with cached keys; random bytes come straight from the system's generator.
func BenchmarkReceivePacket(b *testing.B) {
	secret := []byte("a shared secret of thirty-two b.")
	packet := encodedPrepare(b, secret)
	r := newReceiver(secret, rand.Reader)
	b.ReportAllocs()
	for b.Loop() {
		r.receive(b, packet)
	}
}

// BenchmarkCryptographyOfOnePacket is the part that nobody can leave out: one HMAC, one SHA-256, one opening, one sealing. The
// difference to BenchmarkReceivePacket is our own code; the ratio of the two does not depend on the machine's mood.
func BenchmarkCryptographyOfOnePacket(b *testing.B) {
	data, answer := make([]byte, 222+16), make([]byte, 29)
	mac := hmac.New(sha256.New, make([]byte, 32))
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	iv := make([]byte, 12)
	sealed := gcm.Seal(nil, iv, data[:222], nil)
	plain, out, sum := make([]byte, 0, 256), make([]byte, 0, 256), make([]byte, 0, 32)
	mac.Reset()
	b.ReportAllocs()
	for b.Loop() {
		mac.Write(iv)
		mac.Write(sealed)
		sha256.Sum256(mac.Sum(sum))
		mac.Reset()
		if _, err := gcm.Open(plain, iv, sealed, nil); err != nil {
			b.Fatal(err)
		}
		rand.Read(answer[:12])
		gcm.Seal(out, answer[:12], answer, nil)
	}
}

// BenchmarkReceivePacketBufferedRandom is the same with random bytes drawn in blocks.
func BenchmarkReceivePacketBufferedRandom(b *testing.B) {
	secret := []byte("a shared secret of thirty-two b.")
	packet := encodedPrepare(b, secret)
	r := newReceiver(secret, bufio.NewReaderSize(rand.Reader, 4096))
	b.ReportAllocs()
	for b.Loop() {
		r.receive(b, packet)
	}
}

func BenchmarkKeys(b *testing.B) {
	secret := []byte("a shared secret of thirty-two b.")
	b.ReportAllocs()
	for b.Loop() {
		Keys(secret)
	}
}

func BenchmarkDecode10000Frames(b *testing.B) {
	in := manyFrames(10_000)
	b.ReportAllocs()
	for b.Loop() {
		p, err := Decode(in)
		if err != nil {
			b.Fatal(err)
		}
		for f := range p.Frames() {
			_ = f.ConnectionMaxData()
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	builder := Begin(nil, ilpcore.TypePrepare, 1234, 90)
	builder.StreamMoney(StreamMoney{StreamID: 1, Shares: 100})
	builder.StreamMaxMoney(StreamMaxMoney{StreamID: 1, ReceiveMax: 1000})
	builder.StreamMaxData(StreamMaxData{StreamID: 1, MaxOffset: 16384})
	in, err := builder.Finish()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	room := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		builder := Begin(room, ilpcore.TypeFulfill, 1234, 100)
		builder.StreamMaxMoney(StreamMaxMoney{StreamID: 1, ReceiveMax: 1_000_000, TotalReceived: 100})
		builder.StreamMaxData(StreamMaxData{StreamID: 1, MaxOffset: 16384})
		if _, err := builder.Finish(); err != nil {
			b.Fatal(err)
		}
	}
}
