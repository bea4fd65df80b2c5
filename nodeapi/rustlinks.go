package nodeapi

// This file reads what an account holder may set: the links and tokens, and when the node settles.

import "math"

// shownSecret stands for every token in answers. Where it is sent back, the token stays as it is.
const shownSecret = "SECRET"

// readSettings returns old with what the body gives changed, and nothing else: PUT /accounts/:username/settings. "" takes a URL or a token
// away. Users cannot have themselves paid in advance: settle_to is not negative. The errors are those of readDetails.
func (a *API) readSettings(f *fields, old Settings) (Settings, error) {
	s := old
	if threshold := f.signed("settle_threshold", math.MinInt64); threshold != nil {
		s.SettleThreshold = threshold
	}
	to := f.unsigned("settle_to", 64, 0)
	err := a.readLinks(f, &s, old)
	if wrong := f.err(); wrong != nil {
		return s, wrong
	}
	if to != nil {
		if *to > math.MaxInt64 {
			return s, &FieldError{Field: "settle_to", Why: "it is at most 9223372036854775807"}
		}
		n := int64(*to)
		s.SettleTo = &n
	}
	if err != nil {
		return s, err
	}
	return s, checkThreshold(s)
}

// readLinks sets in s what the body gives of links and tokens. The errors are *FieldError, ErrSealed and ErrNoKey.
func (a *API) readLinks(f *fields, s *Settings, old Settings) error {
	if err := a.readURL(f, "ilp_over_http_url", &s.HTTP.URL, "https", "http"); err != nil {
		return err
	}
	if err := a.readURL(f, "ilp_over_btp_url", &s.BTP.URL, "btp+wss", "btp+ws", "wss", "ws"); err != nil {
		return err
	}
	if err := a.readToken(f, "ilp_over_btp_incoming_token", minSecret, &s.BTP.Incoming, old.BTP.Incoming); err != nil {
		return err
	}
	if err := a.readToken(f, "ilp_over_btp_outgoing_token", 0, &s.BTP.Outgoing, old.BTP.Outgoing); err != nil {
		return err
	}
	switch token, given := f.text("ilp_over_http_incoming_token"); {
	case given && token == shownSecret:
		s.HTTP.Incoming = old.HTTP.Incoming
	case given:
		var sealed Sealed
		if err := a.readToken(f, "ilp_over_http_incoming_token", minSecret, &sealed, ""); err != nil {
			return err
		}
		s.HTTP.Incoming = simpleCredentials(sealed)
	}
	switch token, given := f.text("ilp_over_http_outgoing_token"); {
	case given && token == shownSecret:
		s.HTTP.Outgoing = old.HTTP.Outgoing
	case given:
		var sealed Sealed
		if err := a.readToken(f, "ilp_over_http_outgoing_token", 0, &sealed, ""); err != nil {
			return err
		}
		s.HTTP.Outgoing = nil
		if sealed != "" {
			s.HTTP.Outgoing = &Credential{Kind: Simple, Secret: sealed}
		}
	}
	return nil
}

// refuseShown notes the tokens of a new account that are given as answers show them: there is none that could stay as it is.
func (f *fields) refuseShown(names ...string) {
	for _, name := range names {
		if token, _ := f.text(name); token == shownSecret {
			f.wrong(name, "SECRET only stands for the token in answers; send the token itself")
		}
	}
}

func simpleCredentials(secret Sealed) []Credential {
	if secret == "" {
		return nil
	}
	return []Credential{{Kind: Simple, Secret: secret}}
}

func (a *API) readURL(f *fields, name string, to *string, schemes ...string) error {
	text, given := f.text(name)
	if !given {
		return nil
	}
	if text != "" {
		if err := a.checkURL(name, text, true, schemes...); err != nil {
			return err
		}
	}
	*to = text
	return nil
}

// readToken encrypts a token. One that others show us has least bytes at least.
func (a *API) readToken(f *fields, name string, least int, to *Sealed, old Sealed) error {
	token, given := f.text(name)
	switch {
	case !given:
		return nil
	case token == shownSecret:
		*to = old
		return nil
	}
	sealed, err := a.directory.Keeper().Take(token)
	if err != nil {
		return &FieldError{Field: name, Why: err.Error()}
	}
	if least > 0 && token != "" {
		secret, err := a.directory.Keeper().Open(sealed)
		if err != nil {
			return err
		}
		if err := a.checkSecret(name, secret); err != nil {
			return err
		}
	}
	*to = sealed
	return nil
}
