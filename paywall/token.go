package paywall

// This file reads the Pay-Token: one header line of canonical base64url, which is the key to a balance (D2).

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"

	"github.com/paydoor/paydoor/balances"
)

// The sizes of a token: 22 to 86 characters are 16 to 64 bytes. Seed 003 shows 32 bytes; deployed clients send 16.
const (
	minTokenBytes = 16
	maxTokenBytes = 64
	minTokenText  = 22
	maxTokenText  = 86
	freshTokenLen = 32
)

// ErrToken says that a text is not 22 to 86 characters of canonical unpadded base64url.
var ErrToken = errors.New("not 22 to 86 characters of canonical base64url without padding")

var tokenEncoding = base64.RawURLEncoding.Strict()

// token is the bytes of a Pay-Token; size 0 means that none was sent.
type token struct {
	size  int
	bytes [maxTokenBytes]byte
}

// parseToken reads the text of a token: 22 to 86 characters A-Z a-z 0-9 - _ whose unused last bits are zero, so that each
// token has one spelling. Anything else is ErrToken.
func parseToken(text string) (token, error) {
	var t token
	if len(text) < minTokenText || len(text) > maxTokenText {
		return token{}, ErrToken
	}
	var copied [maxTokenText]byte
	n := copy(copied[:], text)
	for _, c := range copied[:n] {
		// The decoder would skip line breaks, and a second spelling of a token must not exist.
		if c == '\r' || c == '\n' {
			return token{}, ErrToken
		}
	}
	size, err := tokenEncoding.Decode(t.bytes[:], copied[:n])
	if err != nil || size < minTokenBytes {
		return token{}, ErrToken
	}
	t.size = size
	return t, nil
}

// token returns the request's token, the zero token if it sent none, or why the one it sent cannot be used.
func (p *Paywall) token(r *http.Request) (token, *problem) {
	lines := r.Header["Pay-Token"]
	switch len(lines) {
	case 0:
		return token{}, nil
	case 1:
		t, err := parseToken(lines[0])
		if err != nil {
			return token{}, badToken
		}
		return t, nil
	default:
		return token{}, manyTokens
	}
}

// freshToken makes a token for a client that has none. Nothing is stored for it: it is an account only once it is paid to.
func freshToken(random io.Reader) (token, error) {
	t := token{size: freshTokenLen}
	_, err := io.ReadFull(random, t.bytes[:freshTokenLen])
	return t, err
}

func (t *token) text() string { return base64.RawURLEncoding.EncodeToString(t.bytes[:t.size]) }

// account derives the key of the token's balance: SHA-256("paydoor/token/v1" ‖ realm ‖ 0x00 ‖ token bytes), as D2 says. The
// token itself goes nowhere else than to the Quoter.
func (t *token) account(realm string) balances.Account {
	var space [256]byte
	b := append(space[:0], "paydoor/token/v1"...)
	b = append(b, realm...)
	b = append(b, 0)
	b = append(b, t.bytes[:t.size]...)
	return sha256.Sum256(b)
}

// AccountOf returns the account of a token's text in a realm, for tools that look balances up. The error is ErrToken.
func AccountOf(text, realm string) (balances.Account, error) {
	t, err := parseToken(text)
	if err != nil {
		return balances.Account{}, err
	}
	return t.account(realm), nil
}
