package btp

// This file is the first message on every connection, in which the side that dialled authenticates itself (RFC 23, section "Authentication").

import "errors"

// The names of the entries of an auth message.
const (
	NameAuth     = "auth"
	NameUsername = "auth_username"
	NameToken    = "auth_token"
)

var (
	// ErrNotAuth says that the first frame of a connection is not a Message whose primary entry is "auth".
	ErrNotAuth = errors.New("the first BTP frame must be a Message whose first entry is auth")
	// ErrNoToken says that an auth message has no auth_token entry.
	ErrNoToken = errors.New("a BTP auth message needs an auth_token entry")
)

// Auth is what the dialling side shows. Comparing the token, in constant time, is the link's business.
type Auth struct {
	Username string // may be empty
	Token    string // a secret
}

// String keeps the token out of logs.
func (Auth) String() string { return "Auth(secret)" }

// GoString keeps the token out of logs.
func (Auth) GoString() string { return "Auth(secret)" }

// AuthMessage returns the message that authenticates the dialling side, with the entries in the order the JavaScript clients use.
func AuthMessage(id uint32, a Auth) Frame {
	return Frame{Type: TypeMessage, RequestID: id, Entries: []Entry{
		{Name: NameAuth, ContentType: ContentOctets},
		{Name: NameUsername, ContentType: ContentText, Data: []byte(a.Username)},
		{Name: NameToken, ContentType: ContentText, Data: []byte(a.Token)},
	}}
}

// ParseAuth reads an auth message; the strings are copies. auth_username may be missing, and other entries are ignored. The
// errors are ErrNotAuth and ErrNoToken, which the listening side answers with an Error NotAccepted before it closes; it answers a
// good message with a Response without entries.
func ParseAuth(f *Frame) (Auth, error) {
	if f.Type != TypeMessage || len(f.Entries) == 0 || f.Entries[0].Name != NameAuth {
		return Auth{}, ErrNotAuth
	}
	token, ok := f.Find(NameToken)
	if !ok {
		return Auth{}, ErrNoToken
	}
	username, _ := f.Find(NameUsername)
	return Auth{Username: string(username), Token: string(token)}, nil
}
