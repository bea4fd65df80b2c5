package ilphttp

// This file makes what a Client authenticates itself with: a token that is given, or JSON Web Tokens, each of which is sent as long as it is good.

import (
	"fmt"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/paydoor/paydoor/links/posting"
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
	case c.JWT != nil && c.Token != "":
		return nil, errOutgoing
	case c.JWT != nil:
		m, err := NewMinter(*c.JWT, now)
		if err != nil {
			return nil, err
		}
		return func() (string, error) {
			token, err := m.Token()
			return "Bearer " + token, err
		}, nil
	case c.Token == "" || !posting.HeaderSafe(c.Token):
		return nil, fmt.Errorf("%w: the outgoing token is empty or cannot stand in a header", ErrConfig)
	}
	value := "Bearer " + c.Token
	return func() (string, error) { return value, nil }, nil
}

var errOutgoing = fmt.Errorf("%w: an outgoing JWT needs a subject and a secret, and no token beside it", ErrConfig)

// Minter makes the tokens of a Client and holds the one in use. It is safe for concurrent use.
type Minter struct {
	jwt OutgoingJWT
	now func() time.Time

	mu    sync.Mutex
	token string
	until time.Time // when the next one is made: before the token's exp, since it takes time to arrive and clocks differ
}

// NewMinter returns a Minter whose tokens expire by the clock now, or ErrConfig without a subject or a secret.
func NewMinter(j OutgoingJWT, now func() time.Time) (*Minter, error) {
	if j.Subject == "" || len(j.Secret) == 0 {
		return nil, errOutgoing
	}
	if j.Lifetime <= 0 || j.Lifetime > MaxLifetime {
		j.Lifetime = MaxLifetime
	}
	return &Minter{jwt: j, now: now}, nil
}

// Token returns a token that is valid for at least a fifth of its lifetime.
func (m *Minter) Token() (string, error) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.token != "" && now.Before(m.until) {
		return m.token, nil
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject: m.jwt.Subject, ExpiresAt: jwt.NewNumericDate(now.Add(m.jwt.Lifetime)),
	})
	signed, err := token.SignedString(m.jwt.Secret)
	if err != nil {
		return "", fmt.Errorf("sign a JWT: %w", err)
	}
	m.token, m.until = signed, now.Add(m.jwt.Lifetime-m.jwt.Lifetime/5)
	return signed, nil
}
