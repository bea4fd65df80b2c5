package ilpcore

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"testing"
)

// The published vector gives the AES key itself rather than a secret, so it is opened from inside the package.
func TestOpenVector(t *testing.T) {
	key, _ := base64.StdEncoding.DecodeString("AOStyoBvoK9/OFhdmf2TzQRrJsCkxH/cj49Ya7RFOEc=")
	data, _ := base64.StdEncoding.DecodeString("Y1UiXpDA1GwAv+h95CEv67O49MOAJQrnYEQMrOFsbv6rrlE=")
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	k := &EndToEnd{aead: aead}
	plaintext, err := k.Open(nil, data)
	if err != nil || string(plaintext) != "foo bar" {
		t.Fatalf("opened %q, %v", plaintext, err)
	}
}
