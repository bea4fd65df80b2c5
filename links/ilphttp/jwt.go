package ilphttp

// This file verifies bearer tokens that are JSON Web Tokens (profile JWT_HS_256 of the ILP HTTP auth profiles). Only HS256 is known, and
// only the configured secrets: nothing in a token's header chooses a key.

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	maxJWT        = 4 << 10          // bytes of a token; real ones have 100 to 300
	maxCandidates = 32               // accounts whose secrets are tried on a token that names none of them
	leeway        = 30 * time.Second // that the clocks of two nodes may differ by
	lastDate      = 253402300799     // the end of the year 9999; what is later is no date
)

// JWT says which tokens authenticate an account.
type JWT struct {
	// Subject is the sub claim they must have; "" lets them have any, or none, as those of ilp-plugin-http.
	Subject string
	// Secret is the HMAC key, byte by byte.
	Secret []byte
	// AllowNoExpiry takes tokens without exp, which are good for ever.
	AllowNoExpiry bool
}

// jwtKey is one way to authenticate one account.
type jwtKey struct {
	JWT
	account   ilpcore.AccountID
	validator *jwt.Validator
}

func newJWTKey(account ilpcore.AccountID, j JWT, now func() time.Time) *jwtKey {
	options := []jwt.ParserOption{jwt.WithLeeway(leeway), jwt.WithIssuedAt(), jwt.WithTimeFunc(now)}
	if j.Subject != "" {
		options = append(options, jwt.WithSubject(j.Subject))
	}
	if !j.AllowNoExpiry {
		options = append(options, jwt.WithExpirationRequired())
	}
	j.Secret = bytes.Clone(j.Secret)
	return &jwtKey{JWT: j, account: account, validator: jwt.NewValidator(options...)}
}

var (
	errCritical = errors.New("the token has extensions that must not be ignored")
	errNoKey    = errors.New("no account's secret has signed the token")
	errKeys     = errors.New("the secrets of several accounts have signed the token")
	errClaim    = errors.New("a claim has the wrong type or range")
)

// The claims are checked later, when the account is known.
var jwtParser = jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())

// isJWT says whether s has the shape of a token, to the letter: Go's base64 overlooks line breaks.
func isJWT(s string) bool {
	if len(s) > maxJWT {
		return false
	}
	dots := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			dots++
		case !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'):
			return false
		}
	}
	return dots == 2
}

// verifyJWT returns the account whose key has signed the token and whose rules its claims keep to, and its exp, which may
// be nil. candidates returns the keys to try for a subject.
func verifyJWT(token string, candidates func(subject string) []*jwtKey) (ilpcore.AccountID, *jwt.NumericDate, error) {
	var claims claims
	var signer *jwtKey
	_, err := jwtParser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		if _, critical := t.Header["crit"]; critical {
			return nil, errCritical
		}
		signed := token[:strings.LastIndexByte(token, '.')]
		signature, err := jwtParser.DecodeSegment(token[len(signed)+1:])
		if err != nil {
			return nil, err
		}
		signer, err = signerOf(signed, signature, candidates(claims.subject))
		if err != nil {
			return nil, err
		}
		return signer.Secret, nil
	})
	if err == nil {
		err = signer.validator.Validate(&claims)
	}
	if err != nil {
		return "", nil, err
	}
	return signer.account, claims.expires, nil
}

// signerOf returns the one key that has made the signature. Of several keys of one account, the first.
func signerOf(signed string, signature []byte, keys []*jwtKey) (signer *jwtKey, err error) {
	for _, key := range keys {
		if jwt.SigningMethodHS256.Verify(signed, signature, key.Secret) != nil {
			continue
		}
		if signer != nil && signer.account != key.account {
			return nil, errKeys
		}
		if signer == nil {
			signer = key
		}
	}
	if signer == nil {
		return nil, errNoKey
	}
	return signer, nil
}

// candidatesFor chooses among all keys those that may belong to a token with this subject: first the accounts that ask for it, then the one
// that is named so, then those that ask for none; maxCandidates in all.
func candidatesFor(keys []*jwtKey, subject string) []*jwtKey {
	var chosen, open []*jwtKey
	for _, key := range keys {
		switch {
		case key.Subject == "" && string(key.account) != subject:
			open = append(open, key)
		case key.Subject == "" || key.Subject == subject:
			chosen = append(chosen, key)
		}
	}
	slices.SortStableFunc(chosen, func(a, b *jwtKey) int { return strings.Compare(b.Subject, a.Subject) }) // those with one first
	chosen = append(chosen, open...)
	return chosen[:min(len(chosen), maxCandidates)]
}

// claims are the ones that count. The library's own would take a date that is a string.
type claims struct {
	subject                      string
	expires, issued, notBeforeAt *jwt.NumericDate
}

// UnmarshalJSON reads the claims by their exact names; the others are ignored.
func (c *claims) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	if subject, ok := all["sub"]; ok {
		if err := json.Unmarshal(subject, &c.subject); err != nil {
			return errClaim
		}
	}
	for name, date := range map[string]**jwt.NumericDate{"exp": &c.expires, "iat": &c.issued, "nbf": &c.notBeforeAt} {
		text, ok := all[name]
		if !ok {
			continue
		}
		seconds, err := parseDate(text)
		if err != nil {
			return err
		}
		*date = &jwt.NumericDate{Time: time.Unix(seconds, 0)}
	}
	return nil
}

// parseDate reads a NumericDate (RFC 7519): a JSON number of seconds, of which fractions are cut off.
func parseDate(text json.RawMessage) (int64, error) {
	seconds, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(string(text), 64)
		if err != nil || !(f >= 0 && f <= lastDate) {
			return 0, errClaim
		}
		seconds = int64(f)
	}
	if seconds < 0 || seconds > lastDate {
		return 0, errClaim
	}
	return seconds, nil
}

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.expires, nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.issued, nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return c.notBeforeAt, nil }
func (c *claims) GetSubject() (string, error)                  { return c.subject, nil }
func (c *claims) GetIssuer() (string, error)                   { return "", nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

var _ jwt.Claims = (*claims)(nil)
