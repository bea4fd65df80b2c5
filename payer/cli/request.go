package cli

// This file makes a request of curl's flags.

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

func addRequestFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringP("request", "X", "", "The method; default: GET, or POST with a body")
	flags.StringArrayP("header", "H", nil, "A header, 'Name: value'; 'Name:' takes away one of ours, 'Name;' sends it empty")
	addDataFlags(flags)
	flags.StringArrayP("form", "F", nil, "A field of a multipart form: NAME=VALUE, NAME=@FILE (;type=TYPE and ;filename=NAME may follow), or NAME=<FILE for what it says")
	flags.BoolP("head", "I", false, "Ask for the headers only")
	flags.StringP("user", "u", "", "USER:PASSWORD for basic authentication; - reads it from stdin")
	flags.StringP("user-agent", "A", "paydoor", "What the program calls itself")
}

// errHeader does not repeat the header: it may be a secret.
var errHeader = errors.New("-H takes 'Name: value', 'Name:' to send no such header, or 'Name;' to send it empty")

// ordered is what the flags say that is the same for all URLs.
type ordered struct {
	body     *body // nil: none
	user     bool  // -u was given
	name     string
	password string
}

// readOrder reads it, and stdin if it is named.
func readOrder(cmd *cobra.Command, urls int) (o ordered, err error) {
	if o.body, err = bodyOf(cmd); err != nil {
		return o, err
	}
	switch {
	case o.body != nil && chosen(cmd, "head"):
		return o, errors.New("-I asks for the headers only, and -d and -F send a body: leave one out")
	case o.body != nil && o.body.once && urls > 1:
		return o, errors.New("the body is too long to keep for several URLs: put it into a file")
	}
	if user := option(cmd, "user"); user != "" {
		o.user = true
		o.name, o.password, err = userOf(cmd, user)
	}
	return o, err
}

// newRequest makes the request for one URL.
func newRequest(ctx context.Context, cmd *cobra.Command, u *url.URL, o ordered) (*http.Request, error) {
	method := option(cmd, "request")
	switch {
	case method != "":
	case chosen(cmd, "head"):
		method = http.MethodHead
	case o.body != nil:
		method = http.MethodPost
	default:
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, errors.New("-X takes a method, such as PUT")
	}
	r.Header.Set("Accept", "*/*")
	r.Header.Set("User-Agent", option(cmd, "user-agent"))
	if o.body != nil {
		if err := o.body.attach(r); err != nil {
			return nil, err
		}
	}
	if o.user {
		r.SetBasicAuth(o.name, o.password)
	}
	return r, setHeaders(cmd, r)
}

// userOf reads -u.
func userOf(cmd *cobra.Command, text string) (name, password string, err error) {
	if text == "-" {
		b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 8192))
		if err != nil {
			return "", "", err
		}
		text = strings.TrimSpace(string(b))
	}
	name, password, ok := strings.Cut(text, ":")
	if !ok {
		return "", "", errors.New("-u takes USER:PASSWORD")
	}
	return name, password, nil
}

// isToken says whether text can be the name of a header (RFC 9110).
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune("()<>@,;:\\\"/[]?={}", c) })
}

// setHeaders adds the headers of -H to those that are there. The payment headers are not theirs to set.
func setHeaders(cmd *cobra.Command, r *http.Request) error {
	lines, err := cmd.Flags().GetStringArray("header")
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		bare, empty := strings.CutSuffix(line, ";")
		if empty = empty && !ok; empty {
			name, ok = bare, true
		}
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		value = strings.TrimSpace(value)
		if !ok || !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
			return errHeader
		}
		switch {
		case name == "Pay-Token" || name == "Pay-Accept":
			return errors.New("the payment headers are made by fetch: --method chooses how to pay")
		case name == "Host":
			r.Host = value
		case value == "" && !empty:
			r.Header.Del(name)
			if name == "User-Agent" {
				r.Header["User-Agent"] = nil
			}
		case seen[name]:
			r.Header.Add(name, value)
		default:
			r.Header.Set(name, value)
		}
		seen[name] = true
	}
	return nil
}
