package receiver

// This file seals a quote into one address segment and opens it again (D3).
//
// A segment is base64url without padding, canonical, of nonce (12 bytes) | ciphertext | tag (16), AES-256-GCM without additional
// data. The format is final: quotes are honoured for as long as the secret is configured. The plaintext, 70 bytes, big-endian:
//
//	 0  version, 1
//	 1  flags: 1 the payee is an account of the node; 2 STREAM takes no more than due; 4 the memo checks are set; 8 receipts; others refused
//	 2  payee, 32 bytes: the key of its balance
//	34  due, 8 bytes
//	42  quote id, 8 bytes: random if flag 1 or 2 is set, or if the payee's payment pointer was asked, else zero
//	50  expiry, 4 bytes: minutes since 1970; zero is never
//	54  memo check of the whole token, 8 bytes: SHA-256("paydoor/memo/v1" | token), cut
//	62  memo check of the token's first 16 bytes, 8 bytes
//	70  with flag 8 alone: nonce, 16 bytes, and secret, 32 bytes, of receipts (RFC 39)
//
// With HMAC-SHA256 under the receiver secret: the key is that of "paydoor/receiver/seal/v1"; the nonce is the HMAC of the plaintext
// under that of "paydoor/receiver/nonce/v1", cut; and the shared secret is the HMAC of the 98 sealed bytes under that of
// "paydoor/receiver/shared/v1".

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// MinSecret is the least length of a receiver secret in bytes.
const MinSecret = 32

const (
	segmentVersion = 1
	plainLength    = 1 + 1 + 32 + 8 + 8 + 4 + 8 + 8
	nonceLength    = 12
	sealedLength   = nonceLength + plainLength + 16
	receiptLength  = 16 + 32 // more with receipts

	flagAccount = 1 << 0 // the payee is an account of the node
	flagCapped  = 1 << 1 // STREAM takes no more than due
	flagMemo    = 1 << 2 // the memo checks are set
	flagReceipt = 1 << 3 // nonce and secret of receipts are at the end
	knownFlags  = flagAccount | flagCapped | flagMemo | flagReceipt
)

// segmentLength is the length of a segment in characters, longSegment that of one with receipts.
var (
	segmentLength = base64.RawURLEncoding.EncodedLen(sealedLength)
	longSegment   = base64.RawURLEncoding.EncodedLen(sealedLength + receiptLength)
)

// canonical refuses the other spellings that lenient decoders accept for the same bytes.
var canonical = base64.RawURLEncoding.Strict()

// errSegment says that a segment is none that one of our secrets sealed.
var errSegment = errors.New("the address was not made with this receiver's secret")

// terms is what a segment says of its quote.
type terms struct {
	payee  Payee
	capped bool          // STREAM payments stop at due
	due    amount.Amount // the price, or with capped the shortfall
	id     [8]byte       // of a capped quote, and of one by SPSP, random; zero for the others
	expiry time.Time     // zero: never
	memo   memo

	receipts *ReceiptTerms // nil: none
}

// secretKeys are the subkeys of one receiver secret.
type secretKeys struct {
	seal    cipher.AEAD
	nonce   ilpcore.MAC
	shared  ilpcore.MAC
	pointer pointerKeys
}

func newSecretKeys(secret []byte) (secretKeys, error) {
	if len(secret) < MinSecret {
		return secretKeys{}, fmt.Errorf("the receiver secret has %d bytes; it needs at least %d random ones", len(secret), MinSecret)
	}
	seal, err := newSeal(subkey(secret, "paydoor/receiver/seal/v1"))
	if err != nil {
		return secretKeys{}, err
	}
	pointer, err := newPointerKeys(secret)
	return secretKeys{
		seal:    seal,
		nonce:   ilpcore.NewMAC(subkey(secret, "paydoor/receiver/nonce/v1")),
		shared:  ilpcore.NewMAC(subkey(secret, "paydoor/receiver/shared/v1")),
		pointer: pointer,
	}, err
}

func newSeal(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making the sealing key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making the sealing cipher: %w", err)
	}
	return aead, nil
}

func subkey(secret []byte, label string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(label))
	return mac.Sum(nil)
}

// encode returns the sealed bytes of t. The nonce is derived from the plaintext, so equal terms give equal bytes: a quote of
// fixed terms can be cached and costs no randomness, and different terms never share a nonce.
//
// The result is appended to dst; the plaintext is written behind its place there first, so that a dst with room for both, 2*sealedLength
// bytes, is all the memory that it needs.
func (k secretKeys) encode(dst []byte, t terms) []byte {
	long := sealedLength
	if t.receipts != nil {
		long += receiptLength
	}
	dst = slices.Grow(dst, 2*long)
	plain := t.append(dst[len(dst)+long : len(dst)+long])
	nonce := k.nonce.Sum(plain)
	sealed := append(dst, nonce[:nonceLength]...)
	return k.seal.Seal(sealed, sealed[len(dst):], plain, nil)
}

// decode opens sealed bytes.
func (k secretKeys) decode(sealed []byte) (terms, error) {
	long := len(sealed) == sealedLength+receiptLength
	if len(sealed) != sealedLength && !long {
		return terms{}, errSegment
	}
	var room [plainLength + receiptLength]byte
	plain, err := k.seal.Open(room[:0], sealed[:nonceLength], sealed[nonceLength:], nil)
	if err != nil || plain[0] != segmentVersion || plain[1]&^knownFlags != 0 || plain[1]&flagReceipt != 0 != long {
		return terms{}, errSegment
	}
	return parseTerms(plain), nil
}

// secret returns the shared secret of the quote with these sealed bytes.
func (k secretKeys) secret(sealed []byte) [32]byte { return k.shared.Sum(sealed) }

func (t terms) append(b []byte) []byte {
	var flags byte
	if t.payee.Account {
		flags |= flagAccount
	}
	if t.capped {
		flags |= flagCapped
	}
	if t.memo.set {
		flags |= flagMemo
	}
	if t.receipts != nil {
		flags |= flagReceipt
	}
	b = append(b, segmentVersion, flags)
	b = append(b, t.payee.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.due))
	b = append(b, t.id[:]...)
	var minute uint32
	if !t.expiry.IsZero() {
		minute = uint32(t.expiry.Unix() / 60)
	}
	b = binary.BigEndian.AppendUint32(b, minute)
	b = append(b, t.memo.whole[:]...)
	b = append(b, t.memo.first[:]...)
	if t.receipts != nil {
		b = append(append(b, t.receipts.Nonce[:]...), t.receipts.Secret[:]...)
	}
	return b
}

// parseTerms reads plain, which is authenticated and as long as its flags say.
func parseTerms(plain []byte) (t terms) {
	flags := plain[1]
	t.payee.Account = flags&flagAccount != 0
	t.capped = flags&flagCapped != 0
	t.memo.set = flags&flagMemo != 0
	copy(t.payee.ID[:], plain[2:34])
	t.due = amount.Amount(binary.BigEndian.Uint64(plain[34:42]))
	copy(t.id[:], plain[42:50])
	if minute := binary.BigEndian.Uint32(plain[50:54]); minute != 0 {
		t.expiry = time.Unix(int64(minute)*60, 0)
	}
	copy(t.memo.whole[:], plain[54:62])
	copy(t.memo.first[:], plain[62:70])
	if flags&flagReceipt != 0 {
		t.receipts = new(ReceiptTerms)
		copy(t.receipts.Nonce[:], plain[70:86])
		copy(t.receipts.Secret[:], plain[86:118])
	}
	return t
}
