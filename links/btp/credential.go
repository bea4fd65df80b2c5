package btp

// This file compares what a peer logs in with, in every shape that peers use. It keeps hashes only.

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// credential is what one account logs in with.
type credential struct {
	account string
	user    string // another name for it; "": none
	token   [sha256.Size]byte
}

func newCredential(account, user, token string) credential {
	return credential{account: account, user: user, token: sha256.Sum256([]byte(token))}
}

// shown is what a peer shows. JavaScript peers send user and token, interledger-rs since 1.0 the token alone and names the account in
// the path; before, its token was "<account>:<token>".
type shown struct {
	path   string // the account in the request's path; "": none
	user   string // auth_username; "": none
	prefix string // of the token, up to the first colon
	token  [sha256.Size]byte
	rest   [sha256.Size]byte // of what follows the colon
	colon  bool
}

func show(path string, auth frames.Auth) shown {
	s := shown{path: path, user: auth.Username, token: sha256.Sum256([]byte(auth.Token))}
	var rest string
	s.prefix, rest, s.colon = strings.Cut(auth.Token, ":")
	s.rest = sha256.Sum256([]byte(rest))
	return s
}

// named says whether the names that were shown, if any, are this account's. They are no secret.
func (c *credential) named(s *shown) bool {
	return (s.path == "" || s.path == c.account) && (s.user == "" || c.calls(s.user))
}

// matches says whether s authenticates the account. Both hashes are compared to their ends, whatever the first says.
func (c *credential) matches(s *shown) bool {
	whole := subtle.ConstantTimeCompare(c.token[:], s.token[:])
	rest := subtle.ConstantTimeCompare(c.token[:], s.rest[:])
	return c.named(s) && (whole == 1 || rest == 1 && s.colon && c.calls(s.prefix))
}

func (c *credential) calls(name string) bool {
	return name == c.account || c.user != "" && name == c.user
}
