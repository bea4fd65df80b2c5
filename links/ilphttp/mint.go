package ilphttp

// This file makes what a Client authenticates itself with: a token that is given, or JSON Web Tokens, each of which is sent as long as it is good.

import (
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxLifetime is how long a token we send is valid at most; the ILP HTTP auth profiles recommend no more.
const MaxLifetime = 5 * time.Minute

// OutgoingJWT says which tokens a Client sends (profile JWT_HS_256): they have the claims sub and exp and no others, so that a peer with
// another clock finds nothing to object to.
type OutgoingJWT struct {
	Subject  string        // the sub claim
	Secret   []byte        // the HMAC key, byte by byte
	Lifetime time.Duration // of each token; 0, or more than MaxLifetime: MaxLifetime
}

// authorization returns what makes the header's value.
func (c *ClientConfig) authorization(now func() time.Time) (func() (string, error), error) {
	switch {
	case c.JWT != nil && (c.Token != "" || c.JWT.Subject == "" || len(c.JWT.Secret) == 0):
		return nil, fmt.Errorf("%w: an outgoing JWT needs a subject and a secret, and no token beside it", ErrConfig)
	case c.JWT != nil:
		m := newMinter(*c.JWT, now)
		return func() (string, error) {
			token, err := m.current()
			return "Bearer " + token, err
		}, nil
	case c.Token == "" || !headerSafe(c.Token):
		return nil, fmt.Errorf("%w: the outgoing token is empty or cannot stand in a header", ErrConfig)
	}
	value := "Bearer " + c.Token
	return func() (string, error) { return value, nil }, nil
}

// minter holds the token in use.
type minter struct {
	OutgoingJWT
	now func() time.Time

	mu    sync.Mutex
	token string
	until time.Time // when the next one is made: before the token's exp, since it takes time to arrive and clocks differ
}

func newMinter(j OutgoingJWT, now func() time.Time) *minter {
	if j.Lifetime <= 0 || j.Lifetime > MaxLifetime {
		j.Lifetime = MaxLifetime
	}
	return &minter{OutgoingJWT: j, now: now}
}

// current returns a token that is valid for at least a fifth of its lifetime.
func (m *minter) current() (string, error) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.token != "" && now.Before(m.until) {
		return m.token, nil
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject: m.Subject, ExpiresAt: jwt.NewNumericDate(now.Add(m.Lifetime)),
	})
	signed, err := token.SignedString(m.Secret)
	if err != nil {
		return "", fmt.Errorf("sign a JWT: %w", err)
	}
	m.token, m.until = signed, now.Add(m.Lifetime-m.Lifetime/5)
	return signed, nil
}
