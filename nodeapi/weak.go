package nodeapi

// This file refuses secrets that can be guessed, and links over which everybody on the way reads them (T28), and URLs into networks that are not theirs (T36).

import (
	"fmt"
	"net/url"

	"github.com/paydoor/paydoor/internal/loopback"
	"github.com/paydoor/paydoor/payer"
)

// minSecret is how many bytes a secret of an account has at least.
const minSecret = 32

// checkSecret returns a *FieldError for a secret that is too short; not with Config.AllowWeakSecrets.
func (a *API) checkSecret(field, secret string) error {
	if len(secret) >= minSecret || a.allowWeakSecrets {
		return nil
	}
	return &FieldError{Field: field, Why: fmt.Sprintf(
		"it has %d bytes, which can be guessed: use at least %d random ones (openssl rand -hex 32), or write allow_weak_secrets in the ilp block", len(secret), minSecret)}
}

// maxURL is how many bytes a URL has at most: a settlement is kept with that of its engine.
const maxURL = 2048

// checkURL returns a *FieldError for what is no absolute URL of one of the schemes, is too long, has a user, a password, a query or a fragment, or, when
// secrets go there and not with Config.AllowInsecure, leads to another machine without TLS.
func (a *API) checkURL(field, text string, secrets bool, schemes ...string) error {
	u, err := url.Parse(text)
	known := false
	for _, scheme := range schemes {
		known = known || err == nil && u.Scheme == scheme
	}
	switch {
	case len(text) > maxURL:
		return &FieldError{Field: field, Why: fmt.Sprintf("a URL has at most %d bytes", maxURL)}
	case !known || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return &FieldError{Field: field, Why: fmt.Sprintf("it is no URL such as %s://host/path, without user, query and fragment", schemes[0])}
	case secrets && !a.allowInsecure && plain(u.Scheme) && !loopback.Host(u.Hostname()):
		return &FieldError{Field: field, Why: "without TLS everybody on the way reads the secrets: use https or btp+wss, or write insecure in the ilp block"}
	}
	return nil
}

// checkEngineURL is checkURL for a settlement engine. With Config.PublicOnly it also refuses a host that is not on the public Internet.
func (a *API) checkEngineURL(field, text string, secrets bool, schemes ...string) error {
	if err := a.checkURL(field, text, secrets, schemes...); err != nil {
		return err
	}
	u, err := url.Parse(text)
	if err != nil {
		return &FieldError{Field: field, Why: "it is no URL"}
	}
	if a.publicOnly && !payer.PublicHost(u.Hostname()) {
		return &FieldError{Field: field, Why: u.Hostname() + " is not on the public Internet, and the API connects the node to nothing else: the operator may write allow_private into ilp_node"}
	}
	return nil
}

func plain(scheme string) bool { return scheme == "http" || scheme == "ws" || scheme == "btp+ws" }
