package nodeapi

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

// javaKey is that of the Java connector's published demonstration keystore, for illustration and tests only.
const javaKey = "30acd5ade6db6380b0e7cc6ec897fae329d9e12637c21046dc0e1cef67817587"

func TestKeeperOpensWhatTheJavaConnectorSealed(t *testing.T) {
	key, err := hex.DecodeString(javaKey)
	if err != nil {
		t.Fatal(err)
	}
	k := NewKeeper([][]byte{testSecret}, rand.Reader)
	secrets := map[Sealed]string{
		"enc:JKS:crypto.p12:secret0:1:aes_gcm:AAAADKZPmASojt1iayb2bPy4D-Toq7TGLTN95HzCQAeJtz0=":         "shh",
		"enc:JKS:crypto.p12:secret0:1:aes_gcm:AAAADJ6Y6dG3Jp_PoeamK7Q4F5b-yuihjvEGejjIbYs68JLzHttuDCds": "oh hi mark",
	}
	for sealed := range secrets {
		if _, err := k.Open(sealed); !errors.Is(err, ErrNoKey) {
			t.Errorf("without the key: %v", err)
		}
	}
	if err := k.Import("JKS", key); err != nil {
		t.Fatal(err)
	}
	for sealed, want := range secrets {
		if got, err := k.Open(sealed); got != want || err != nil {
			t.Errorf("opened %q, %v; want %q", got, err, want)
		}
		own, err := k.Take(string(sealed))
		if err != nil || !strings.HasPrefix(string(own), ownHead) {
			t.Errorf("taken as %.40q, %v", own, err)
		}
		if got, err := k.Open(own); got != want || err != nil {
			t.Errorf("opened %q, %v after it was taken; want %q", got, err, want)
		}
	}
}

func TestKeeperTakes(t *testing.T) {
	k := NewKeeper([][]byte{testSecret}, rand.Reader)
	sealed, err := k.Take("a plain secret")
	if err != nil || strings.Contains(string(sealed), "plain secret") {
		t.Fatalf("%q, %v", sealed, err)
	}
	again, err := k.Take(string(sealed))
	if again != sealed || err != nil {
		t.Errorf("its own form was taken as %q, %v", again, err)
	}
	if nothing, err := k.Take(""); nothing != "" || err != nil {
		t.Errorf("nothing was taken as %q, %v", nothing, err)
	}
	for _, bad := range []string{"enc:", "enc:jks:a:b:1:aes_gcm:", "enc:jks:a:b:1:aes_gcm:AAAADA==", "enc:jks:a:b:1:google_symmetric:AAAA", "enc:jks:a:b:aes_gcm:AAAA", "enc:jks:a:b:1:aes_gcm:%%%"} {
		if _, err := k.Take(bad); !errors.Is(err, ErrSealed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	altered := []byte(sealed)
	altered[len(altered)-8] ^= 1
	if _, err := k.Open(Sealed(altered)); err == nil {
		t.Error("an altered secret opened")
	}
}

func TestKeeperRotates(t *testing.T) {
	other := bytes.Repeat([]byte("n"), 32)
	old := NewKeeper([][]byte{testSecret}, rand.Reader)
	sealed, err := old.Seal("s")
	if err != nil {
		t.Fatal(err)
	}
	both := NewKeeper([][]byte{other, testSecret}, rand.Reader)
	if got, err := both.Open(sealed); got != "s" || err != nil {
		t.Errorf("after a rotation: %q, %v", got, err)
	}
	if _, err := NewKeeper([][]byte{other}, rand.Reader).Open(sealed); !errors.Is(err, ErrNoKey) {
		t.Errorf("with another secret: %v", err)
	}
}

func FuzzKeeperOpen(f *testing.F) {
	k := NewKeeper([][]byte{testSecret}, rand.Reader)
	sealed, err := k.Seal("s")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(sealed))
	f.Add("enc:JKS:crypto.p12:secret0:1:aes_gcm:AAAADKZPmASojt1iayb2bPy4D-Toq7TGLTN95HzCQAeJtz0=")
	f.Fuzz(func(t *testing.T, text string) {
		if secret, err := k.Open(Sealed(text)); err == nil && secret != "s" && secret != "" {
			t.Errorf("%q opened to %q", text, secret)
		}
	})
}
