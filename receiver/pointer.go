package receiver

// This file names a token in a payment pointer, so that any SPSP wallet can raise its balance (RFC 9): whoever has the name can ask for a
// quote and pay, and neither learn the token nor spend anything.
//
// The name is base64url without padding, canonical, of nonce (12 bytes) | ciphertext | tag (16), AES-256-GCM without additional data. The
// plaintext is a version, 1, and the key of the token's balance, 32 bytes. With HMAC-SHA256 under the receiver secret: the key is that of
// "paydoor/receiver/pointer/v1", and the nonce is the HMAC of the plaintext under that of "paydoor/receiver/pointer-nonce/v1", cut. So a token
// has one name, which is honoured for as long as the secret is configured.

import (
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	pointerVersion = 1
	pointerPlain   = 1 + 32
	pointerSealed  = nonceLength + pointerPlain + 16
)

// PointerLength is the length in characters of what Pointer returns.
var PointerLength = base64.RawURLEncoding.EncodedLen(pointerSealed)

// ErrPointer says that a text is not the pointer of a token: none of our secrets sealed it.
var ErrPointer = errors.New("no token has this payment pointer")

// pointerKeys are the subkeys for pointers.
type pointerKeys struct {
	seal  cipher.AEAD
	nonce ilpcore.MAC
}

func newPointerKeys(secret []byte) (pointerKeys, error) {
	seal, err := newSeal(subkey(secret, "paydoor/receiver/pointer/v1"))
	return pointerKeys{seal, ilpcore.NewMAC(subkey(secret, "paydoor/receiver/pointer-nonce/v1"))}, err
}

// Pointer returns the name of the token whose ledger key is id, PointerLength characters of base64url: the same each time, and stored nowhere.
func (r *Receiver) Pointer(id [32]byte) string {
	keys := &r.secrets[0].pointer
	var room [pointerPlain + pointerSealed]byte
	plain := append(append(room[:0], pointerVersion), id[:]...)
	nonce := keys.nonce.Sum(plain)
	sealed := append(room[pointerPlain:pointerPlain], nonce[:nonceLength]...)
	return canonical.EncodeToString(keys.seal.Seal(sealed, sealed, plain, nil))
}

// QuotePointer mints a quote for whoever wants to pay the token that a Pointer names. Each has another address and secret, takes any amount,
// does not expire, and is stored nowhere. With receipts, each packet that STREAM brings is answered with one. The errors are ErrPointer,
// ErrNoAddress, and those of the source of randomness.
func (r *Receiver) QuotePointer(pointer string, receipts *ReceiptTerms) (Quote, error) {
	id, err := r.openPointer(pointer)
	if err != nil {
		return Quote{}, err
	}
	own, _, ok := r.addresses.Address()
	if !ok {
		return Quote{}, ErrNoAddress
	}
	t := terms{payee: TokenPayee(id), receipts: receipts}
	if _, err := io.ReadFull(r.random, t.id[:]); err != nil {
		return Quote{}, fmt.Errorf("making a quote id: %w", err)
	}
	keys := r.secrets[0]
	sealed := keys.encode(nil, t)
	address, err := own.With(canonical.EncodeToString(sealed))
	if err != nil {
		return Quote{}, fmt.Errorf("the node's address leaves no room for that of a payment: %w", err)
	}
	return Quote{Address: string(address), SharedSecret: keys.secret(sealed)}, nil
}

// openPointer returns the ledger key of the token, or ErrPointer.
func (r *Receiver) openPointer(pointer string) (id [32]byte, err error) {
	if len(pointer) != PointerLength {
		return id, ErrPointer
	}
	var room [pointerSealed + 2]byte
	n, err := canonical.Decode(room[:], []byte(pointer))
	if err != nil || n != pointerSealed {
		return id, ErrPointer // a line break, which decoders skip, makes it shorter
	}
	sealed := room[:n]
	for i := range r.secrets {
		var opened [pointerPlain]byte
		plain, err := r.secrets[i].pointer.seal.Open(opened[:0], sealed[:nonceLength], sealed[nonceLength:], nil)
		if err == nil && plain[0] == pointerVersion {
			return [32]byte(plain[1:]), nil
		}
	}
	return id, ErrPointer
}
