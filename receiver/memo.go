package receiver

// This file checks the memo of a PSK2 payment against the token that its address was made for (D3).

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// memo holds what is needed to recognise a token in the data of a PSK2 request without knowing the token.
type memo struct {
	set   bool
	whole [8]byte // of the whole token
	first [8]byte // of its first 16 bytes, which is all that older senders put there
}

// The lengths between which the data of a PSK2 request is taken to be a token.
const (
	minMemo = 16
	maxMemo = 64
)

const memoLabel = "paydoor/memo/v1"

func newMemo(token []byte) memo {
	if len(token) < minMemo {
		return memo{}
	}
	return memo{set: true, whole: memoCheck(token), first: memoCheck(token[:minMemo])}
}

func memoCheck(token []byte) (check [8]byte) {
	var room [len(memoLabel) + maxMemo]byte
	sum := sha256.Sum256(append(append(room[:0], memoLabel...), token...))
	copy(check[:], sum[:])
	return check
}

// matches says whether data may come with a payment to this address: no memo at all, the token, its text, or its first 16
// bytes. Data that cannot be a token is the sender's own business; another token is a payment that went astray.
func (m memo) matches(data []byte) bool {
	if !m.set || len(data) == 0 {
		return true
	}
	if m.is(data) {
		return true
	}
	if token, err := base64.RawURLEncoding.DecodeString(string(data)); err == nil && m.is(token) {
		return true
	}
	return len(data) < minMemo || len(data) > maxMemo
}

func (m memo) is(token []byte) bool {
	check := memoCheck(token)
	return subtle.ConstantTimeCompare(check[:], m.whole[:])|subtle.ConstantTimeCompare(check[:], m.first[:]) == 1
}
