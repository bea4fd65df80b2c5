package ilpcore_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/paydoor/paydoor/ilpcore"
	"pgregory.net/rapid"
)

const (
	streamEncryption  = "ilp_stream_encryption"
	streamFulfillment = "ilp_stream_fulfillment"
)

func unbase64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMACVectors(t *testing.T) {
	tests := []struct{ name, key, data, want string }{
		{"STREAM encryption key", "foo", streamEncryption, "zfOGMU/uY+EOUCE6tN3WhE77bF/N6pS0wSOmMgEAMEA="},
		{"STREAM fulfillment key", "foo", streamFulfillment, "lh8nGJCJosvfUePaU0uxxXK3jNvV2Y+5ivt1GH1Muhs="},
		{"zero key", string(make([]byte, 32)), "foo", "DA2Y9+PZ1F5y6Id7wbEEMn77nAexjy/+ztdtgTB/H/8="},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := ilpcore.NewMAC([]byte(test.key)).Sum([]byte(test.data))
			if !bytes.Equal(got[:], unbase64(t, test.want)) {
				t.Errorf("got %x", got)
			}
		})
	}
}

func TestMACIsCryptoHMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "key")
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data")
		want := hmac.New(sha256.New, key)
		want.Write(data)
		if got := ilpcore.NewMAC(key).Sum(data); !bytes.Equal(got[:], want.Sum(nil)) {
			t.Fatalf("key %x data %x: got %x", key, data, got)
		}
	})
}

func TestSealThenOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret")
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "plaintext")
		prefix := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "prefix")
		k := ilpcore.NewEndToEnd(secret, streamEncryption, streamFulfillment)
		sealed, err := k.Seal(bytes.Clone(prefix), plaintext, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(sealed, prefix) || len(sealed) != len(prefix)+len(plaintext)+ilpcore.EnvelopeOverhead {
			t.Fatalf("sealed %x after %x", sealed, prefix)
		}
		data := sealed[len(prefix):]
		kept := bytes.Clone(data)
		opened, err := k.Open(bytes.Clone(prefix), data)
		if err != nil || !bytes.Equal(opened, append(bytes.Clone(prefix), plaintext...)) {
			t.Fatalf("opened %x, %v", opened, err)
		}
		if !bytes.Equal(data, kept) {
			t.Fatal("Open changed its input")
		}
		i := rapid.IntRange(0, len(data)-1).Draw(t, "flip")
		data[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		out, err := k.Open(prefix, data)
		if !errors.Is(err, ilpcore.ErrEnvelope) || !bytes.Equal(out, prefix) {
			t.Fatalf("a changed envelope: %x, %v", out, err)
		}
	})
}

func TestSealInPlace(t *testing.T) {
	k := ilpcore.NewEndToEnd(make([]byte, 32), streamEncryption, streamFulfillment)
	iv := []byte("0123456789ab")
	want, err := k.Seal(nil, []byte("a plaintext"), bytes.NewReader(iv))
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	n := copy(buffer[ilpcore.EnvelopeOverhead:], "a plaintext")
	got, err := k.Seal(buffer[:0], buffer[ilpcore.EnvelopeOverhead:][:n], bytes.NewReader(iv))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %x, %v; want %x", got, err, want)
	}
	if &got[0] != &buffer[0] {
		t.Error("Seal did not use the room it was given")
	}
}

func TestSealWithoutRandomness(t *testing.T) {
	k := ilpcore.NewEndToEnd(make([]byte, 32), streamEncryption, streamFulfillment)
	broken := errors.New("no entropy")
	out, err := k.Seal([]byte("x"), []byte("plaintext"), iotest.ErrReader(broken))
	if !errors.Is(err, broken) || string(out) != "x" {
		t.Fatalf("got %q, %v", out, err)
	}
}

func TestOpenShort(t *testing.T) {
	k := ilpcore.NewEndToEnd(make([]byte, 32), streamEncryption, streamFulfillment)
	for n := range ilpcore.EnvelopeOverhead + 1 {
		if _, err := k.Open(nil, make([]byte, n)); err != ilpcore.ErrEnvelope {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestEndToEndConcurrently(t *testing.T) {
	k := ilpcore.NewEndToEnd([]byte("secret"), streamEncryption, streamFulfillment)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range 200 {
				plaintext := fmt.Appendf(nil, "packet %d", n)
				data, err := k.Seal(nil, plaintext, rand.Reader)
				if err != nil {
					t.Error(err)
				}
				opened, err := k.Open(nil, data)
				if err != nil || !bytes.Equal(opened, plaintext) {
					t.Errorf("opened %q, %v", opened, err)
				}
				fulfillment := k.Fulfillment(data)
				if k.Condition(data) != sha256.Sum256(fulfillment[:]) {
					t.Error("condition and fulfillment differ")
				}
			}
		})
	}
	all.Wait()
}

// oneAllocation counts what making room costs: one allocation, and another one under the race detector.
func oneAllocation() float64 {
	return testing.AllocsPerRun(100, func() { _ = slices.Grow([]byte(nil), 500) })
}

func TestEndToEndAllocations(t *testing.T) {
	k := ilpcore.NewEndToEnd([]byte("secret"), streamEncryption, streamFulfillment)
	data, err := k.Seal(nil, make([]byte, 222), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 0, len(data)+16)
	tests := []struct {
		name string
		most float64
		run  func()
	}{
		{"Fulfillment", 0, func() { k.Fulfillment(data) }},
		{"Condition", 0, func() { k.Condition(data) }},
		{"Open", 0, func() { k.Open(buffer, data) }},
		{"Seal with room", 0, func() { k.Seal(buffer, data[:222], rand.Reader) }},
		{"Seal", oneAllocation(), func() { k.Seal(nil, data[:222], rand.Reader) }},
	}
	for _, test := range tests {
		if n := testing.AllocsPerRun(100, test.run); n > test.most {
			t.Errorf("%s: %v allocations", test.name, n)
		}
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	k := ilpcore.NewEndToEnd([]byte("secret"), streamEncryption, streamFulfillment)
	m := ilpcore.NewMAC([]byte("secret"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, k); s != "EndToEnd(keys)" {
			t.Errorf("%s prints %q", verb, s)
		}
		if s := fmt.Sprintf(verb, *k); s != "EndToEnd(keys)" {
			t.Errorf("%s prints %q", verb, s)
		}
		if s := fmt.Sprintf(verb, m); s != "MAC(key)" {
			t.Errorf("%s prints %q", verb, s)
		}
		inside := struct {
			k *ilpcore.EndToEnd
			m ilpcore.MAC
		}{k, m}
		if s := fmt.Sprintf(verb, inside); len(s) > 200 { // addresses; the states have hundreds of bytes
			t.Errorf("inside a struct, %s prints %q", verb, s)
		}
	}
}

func BenchmarkFulfillment(b *testing.B) {
	for _, size := range []int{100, 250, 500} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			k := ilpcore.NewEndToEnd([]byte("secret"), streamEncryption, streamFulfillment)
			data := make([]byte, size)
			b.ReportAllocs()
			for b.Loop() {
				k.Fulfillment(data)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	k := ilpcore.NewEndToEnd([]byte("secret"), streamEncryption, streamFulfillment)
	data, _ := k.Seal(nil, make([]byte, 222), rand.Reader)
	buffer := make([]byte, 0, 300)
	b.ReportAllocs()
	for b.Loop() {
		k.Open(buffer, data)
	}
}

func BenchmarkSeal(b *testing.B) {
	k := ilpcore.NewEndToEnd([]byte("secret"), streamEncryption, streamFulfillment)
	plaintext := make([]byte, 20)
	b.ReportAllocs()
	for b.Loop() {
		k.Seal(nil, plaintext, rand.Reader)
	}
}

func BenchmarkNewEndToEnd(b *testing.B) {
	secret := make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		ilpcore.NewEndToEnd(secret, streamEncryption, streamFulfillment)
	}
}

func FuzzOpen(f *testing.F) {
	k := ilpcore.NewEndToEnd([]byte("secret"), streamEncryption, streamFulfillment)
	sealed, err := k.Seal(nil, []byte("a plaintext"), bytes.NewReader(make([]byte, 12)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:20])
	f.Fuzz(func(t *testing.T, data []byte) {
		plaintext, err := k.Open(nil, data)
		if err != nil {
			return
		}
		again, err := k.Seal(nil, plaintext, bytes.NewReader(data))
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%x became %x, %v", data, again, err)
		}
	})
}
