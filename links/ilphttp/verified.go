package ilphttp

// This file remembers which JSON Web Tokens were verified, since a neighbour sends the same one with many packets.

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// maxVerified bounds what is remembered, in tokens. Only valid ones get in.
const maxVerified = 1024

// verified holds tokens until their exp, without the leeway, at the latest. Those without exp are never held.
type verified struct {
	mu     sync.Mutex
	tokens map[digest]verifiedToken
}

type verifiedToken struct {
	account ilpcore.AccountID
	expires time.Time
}

// verifiedKey binds a token to the path it came on, which decides whose it may be.
func verifiedKey(account, token string) digest {
	return sha256.Sum256([]byte(account + "\x00" + token))
}

func (v *verified) get(key digest, now time.Time) (ilpcore.AccountID, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t, ok := v.tokens[key]
	if !ok || !now.Before(t.expires) {
		return "", false
	}
	return t.account, true
}

func (v *verified) put(key digest, account ilpcore.AccountID, expires time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens == nil || len(v.tokens) >= maxVerified {
		v.tokens = make(map[digest]verifiedToken)
	}
	v.tokens[key] = verifiedToken{account, expires}
}

// forget is for changed credentials.
func (v *verified) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tokens = nil
}
