package nodeapi

// This file turns the ilpOverHttp keys of customSettings into credentials.

import (
	"encoding/json"
	"errors"
	"strings"
)

const (
	javaIncoming = "ilpOverHttp.incoming."
	javaOutgoing = "ilpOverHttp.outgoing."
)

// spelling is one setting after javaIncoming or javaOutgoing: as it is since version 1.1, and before. The newer one counts where both are given.
type spelling struct{ newer, older string }

var (
	simpleSecret = spelling{"simple.auth_token", "shared_secret"}
	jwtSecret    = spelling{"jwt.shared_secret", "shared_secret"}
	jwtSubject   = spelling{"jwt.token_subject", "token_subject"}
	jwtExpiry    = spelling{"jwt.token_expiry", "token_expiry"}
)

// javaDirection reads what is about one direction of ILP over HTTP, and takes it out of flat; what stays there is what nothing uses.
type javaDirection struct {
	*API
	flat   map[string]any
	prefix string      // javaIncoming or javaOutgoing
	before Settings    // the account until now
	old    *Credential // its credential of this direction until now, or nil
	older  bool        // whether the older spelling was used, which is then given back
}

// readHTTP takes what is about ILP over HTTP out of flat into s, which is the account until now.
func (a *API) readHTTP(s *Settings, flat map[string]any) error {
	incoming := javaDirection{API: a, flat: flat, prefix: javaIncoming, before: *s}
	if len(s.HTTP.Incoming) > 0 {
		incoming.old = &s.HTTP.Incoming[0]
	}
	outgoing := javaDirection{API: a, flat: flat, prefix: javaOutgoing, before: *s, old: s.HTTP.Outgoing}
	var link HTTPLink
	c, err := incoming.credential()
	if err != nil {
		return err
	}
	if c != nil {
		link.Incoming = []Credential{*c}
		if incoming.old != nil && *c == *incoming.old {
			link.Incoming = s.HTTP.Incoming // with those that this dialect cannot say
		}
	}
	if link.Outgoing, err = outgoing.credential(); err != nil {
		return err
	}
	if link.URL, err = outgoing.url(link.Outgoing != nil); err != nil {
		return err
	}
	s.HTTP = link
	s.Extra = withExtra(s.Extra, javaIncoming, mark(incoming.older))
	s.Extra = withExtra(s.Extra, javaOutgoing, mark(outgoing.older))
	return nil
}

// mark is what Extra says under javaIncoming and javaOutgoing: whether the older spelling is given back.
func mark(older bool) json.RawMessage {
	if older {
		return json.RawMessage("true")
	}
	return nil
}

// credential returns the direction's credential; nil where there is none.
func (d *javaDirection) credential() (*Credential, error) {
	kind, err := d.textOf(d.prefix + "auth_type")
	if err != nil {
		return nil, err
	}
	switch strings.ToUpper(kind) {
	case "":
		return nil, d.nothing()
	case "SIMPLE":
		secret, err := d.secret(Simple, simpleSecret)
		return &Credential{Kind: Simple, Secret: secret}, err
	case "JWT_HS_256":
		return d.jwt()
	case "JWT_RS_256":
		return nil, &FieldError{Field: d.prefix + "auth_type", Why: "this node does not verify JWT_RS_256: use JWT_HS_256, or SIMPLE"}
	default:
		return nil, &FieldError{Field: d.prefix + "auth_type", Why: "it is SIMPLE or JWT_HS_256"}
	}
}

// nothing refuses a new secret of which nobody says what it is for.
func (d *javaDirection) nothing() error {
	for _, key := range []string{simpleSecret.newer, jwtSecret.newer, jwtSecret.older} {
		given, ok := d.flat[d.prefix+key]
		if text, isText := given.(string); ok && !(isText && redacted(text)) && given != d.before.Custom[d.prefix+key] {
			return &FieldError{Field: d.prefix + "auth_type", Why: "it is required where there is a secret, and says what that is for: SIMPLE or JWT_HS_256"}
		}
	}
	return nil
}

// jwt returns a secret with what the tokens say that are signed with it.
func (d *javaDirection) jwt() (*Credential, error) {
	c := &Credential{Kind: JWTHS256}
	subject, key, err := d.take(jwtSubject)
	if err != nil {
		return nil, err
	}
	if c.Subject = subject; subject == "" {
		return nil, &FieldError{Field: key, Why: "it is required with JWT_HS_256: the sub claim of the tokens"}
	}
	if c.Secret, err = d.secret(JWTHS256, jwtSecret); err != nil || d.prefix == javaIncoming {
		return c, err
	}
	expiry, key, err := d.take(jwtExpiry)
	if err != nil || expiry == "" {
		return c, err
	}
	lifetime, ok := parseISODuration(expiry)
	if !ok {
		return nil, &FieldError{Field: key, Why: "it is an ISO 8601 duration from 1 second to 366 days, such as PT5M"}
	}
	c.Lifetime = lifetime
	return c, nil
}

// secret returns what to keep of a secret. One that comes back as it was shown, or made unreadable, stays what it is.
func (d *javaDirection) secret(kind string, names spelling) (Sealed, error) {
	given, key, err := d.take(names)
	if err != nil {
		return "", err
	}
	if redacted(given) || d.old != nil && given == string(d.old.Secret) {
		if d.old == nil || d.old.Kind != kind {
			return "", &FieldError{Field: key, Why: "it is required: the secret itself, or an encrypted one, enc:…"}
		}
		return d.old.Secret, nil
	}
	sealed, err := d.directory.Keeper().Take(given)
	if err != nil {
		return "", fieldOf(key, err)
	}
	secret, err := d.directory.Keeper().Open(sealed)
	if err != nil {
		return "", fieldOf(key, err)
	}
	if kind == Simple && strings.ContainsFunc(secret, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", &FieldError{Field: key, Why: "a SIMPLE token is sent in a header: it has no spaces and only ASCII characters"}
	}
	return sealed, d.checkSecret(key, secret)
}

// fieldOf says which field err is about, if the client can mend it.
func fieldOf(field string, err error) error {
	if errors.Is(err, ErrSealed) || errors.Is(err, ErrNoKey) {
		return &FieldError{Field: field, Why: err.Error()}
	}
	return err
}

// url returns where packets are sent, "" for nowhere.
func (d *javaDirection) url(required bool) (string, error) {
	key := d.prefix + "url"
	text, err := d.textOf(key)
	switch {
	case err != nil:
		return "", err
	case text == "" && required:
		return "", &FieldError{Field: key, Why: "it is required where there is an outgoing auth_type: where the neighbour takes packets, https://…"}
	case text != "" && text != d.before.HTTP.URL:
		return text, d.checkURL(key, text, true, "https", "http")
	}
	return text, nil
}

// take takes a text in the newer spelling, or else in the older, out of flat; key is where it stood, or would stand.
func (d *javaDirection) take(names spelling) (text, key string, err error) {
	key = d.prefix + names.newer
	text, err = d.textOf(key)
	if err != nil {
		return "", key, err
	}
	olderKey := d.prefix + names.older
	older, err := d.textOf(olderKey)
	if err == nil && text != "" || err == nil && older == "" {
		return text, key, nil
	}
	d.older = true
	return older, olderKey, err
}

// textOf takes a text out of flat; "" where it is absent.
func (d *javaDirection) textOf(key string) (string, error) {
	value, ok := d.flat[key]
	if !ok {
		return "", nil
	}
	delete(d.flat, key)
	text, ok := value.(string)
	if !ok {
		return "", &FieldError{Field: key, Why: "it is a text"}
	}
	return text, nil
}
