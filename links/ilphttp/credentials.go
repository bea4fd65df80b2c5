package ilphttp

// This file knows whose bearer token is whose. Of tokens that are secrets themselves it keeps hashes only.

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// Credentials holds what neighbours log in with: bearer tokens of the profiles SIMPLE and JWT_HS_256. It is safe for concurrent use.
//
// Of SIMPLE, both shapes in use are taken (ILP HTTP auth profiles; interledger-rs before and after 1.0): the token alone, and
// "<account>:<token>". A token may itself hold a colon.
type Credentials struct {
	mu       sync.RWMutex
	accounts map[ilpcore.AccountID][]digest
	owners   map[digest][]ilpcore.AccountID
	jwt      []*jwtKey
	verified verified
	now      func() time.Time
}

// digest is the SHA-256 of a token.
type digest [sha256.Size]byte

// NewCredentials returns an empty store, whose JWTs expire by the clock now; nil: time.Now.
func NewCredentials(now func() time.Time) *Credentials {
	if now == nil {
		now = time.Now
	}
	return &Credentials{accounts: make(map[ilpcore.AccountID][]digest), owners: make(map[digest][]ilpcore.AccountID), now: now}
}

// Add lets token authenticate account, besides those added before. Two accounts may have the same token; without the
// account's name it then authenticates neither. How strong a token has to be is the caller's rule; an empty one is never added.
func (c *Credentials) Add(account ilpcore.AccountID, token string) {
	if token == "" {
		return
	}
	d := hash(token)
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.accounts[account], d) {
		return
	}
	c.accounts[account] = append(c.accounts[account], d)
	c.owners[d] = append(c.owners[d], account)
}

// AddJWT lets tokens that j describes authenticate account, besides what was added before. Two accounts may have the same subject and
// secret; without the account's name such tokens then authenticate neither. An empty secret is never added.
func (c *Credentials) AddJWT(account ilpcore.AccountID, j JWT) {
	if len(j.Secret) == 0 {
		return
	}
	key := newJWTKey(account, j, c.now)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jwt = append(c.jwt, key)
	c.verified.forget() // what was unambiguous may not be any more
}

// Remove forgets all credentials of account.
func (c *Credentials) Remove(account ilpcore.AccountID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.accounts[account] {
		c.owners[d] = slices.DeleteFunc(c.owners[d], func(a ilpcore.AccountID) bool { return a == account })
		if len(c.owners[d]) == 0 {
			delete(c.owners, d)
		}
	}
	delete(c.accounts, account)
	c.jwt = slices.DeleteFunc(c.jwt, func(key *jwtKey) bool { return key.account == account })
	c.verified.forget()
}

// Authenticate returns the account that bearer, the credentials of an Authorization header without "Bearer ", belongs to. With a
// name, as in the path /accounts/<name>/ilp, it can only be that account; without one the account is found by the token. A verified
// JWT is remembered, but not beyond its exp.
func (c *Credentials) Authenticate(account, bearer string) (ilpcore.AccountID, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if id, ok := c.simple(account, bearer); ok {
		return id, true
	}
	if len(c.jwt) == 0 || !isJWT(bearer) {
		return "", false
	}
	return c.token(account, bearer)
}

// token authenticates by JWT.
func (c *Credentials) token(account, token string) (ilpcore.AccountID, bool) {
	key := verifiedKey(account, token)
	if id, ok := c.verified.get(key, c.now()); ok {
		return id, true
	}
	id, expires, err := verifyJWT(token, func(subject string) []*jwtKey { return candidatesFor(c.keysOf(account), subject) })
	if err != nil {
		return "", false
	}
	if expires != nil {
		c.verified.put(key, id, expires.Time)
	}
	return id, true
}

// keysOf returns the JWT keys of one account, or all of them.
func (c *Credentials) keysOf(account string) (keys []*jwtKey) {
	if account == "" {
		return c.jwt
	}
	for _, key := range c.jwt {
		if string(key.account) == account {
			keys = append(keys, key)
		}
	}
	return keys
}

func (c *Credentials) simple(account, bearer string) (ilpcore.AccountID, bool) {
	if account != "" {
		return c.named(account, bearer)
	}
	if owners := c.owners[hash(bearer)]; len(owners) == 1 {
		return owners[0], true
	}
	name, token, ok := strings.Cut(bearer, ":")
	if !ok || !c.has(ilpcore.AccountID(name), token) {
		return "", false
	}
	return ilpcore.AccountID(name), true
}

// named compares the whole bearer first, then what follows "<account>:".
func (c *Credentials) named(account, bearer string) (ilpcore.AccountID, bool) {
	id := ilpcore.AccountID(account)
	if c.has(id, bearer) {
		return id, true
	}
	rest, ok := strings.CutPrefix(bearer, account)
	if ok && strings.HasPrefix(rest, ":") && c.has(id, rest[1:]) {
		return id, true
	}
	return "", false
}

// has compares hashes, in constant time and to the end: neither the token nor whether the account exists shows in the time.
func (c *Credentials) has(account ilpcore.AccountID, token string) bool {
	given, found := hash(token), 0
	for _, d := range c.accounts[account] {
		found |= subtle.ConstantTimeCompare(d[:], given[:])
	}
	return found == 1
}

func hash(token string) digest { return sha256.Sum256([]byte(token)) }

var _ Authenticator = (*Credentials)(nil)
