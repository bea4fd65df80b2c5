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
	flags.StringArrayP("header", "H", nil, "A header, 'Name: value'; 'Name:' takes away one of ours")
	flags.StringArrayP("data", "d", nil, "The body, sent as a form; @FILE reads it from a file without line ends, @- from stdin; several are joined by &")
	flags.StringArray("data-raw", nil, "The same, in which @ means nothing")
	flags.StringArray("data-binary", nil, "The same, and @FILE is sent as it is")
	flags.StringArrayP("form", "F", nil, "A field of a multipart form: NAME=VALUE, NAME=@FILE or NAME=@FILE;type=TYPE")
	flags.BoolP("head", "I", false, "Ask for the headers only")
	flags.StringP("user", "u", "", "USER:PASSWORD for basic authentication; - reads it from stdin")
	flags.StringP("user-agent", "A", "paydoor", "What the program calls itself")
}

// errHeader does not repeat the header: it may be a secret.
var errHeader = errors.New("-H takes 'Name: value', or 'Name:' to send no such header")

// newRequest makes the request for one URL.
func newRequest(ctx context.Context, cmd *cobra.Command, u *url.URL) (*http.Request, error) {
	b, err := bodyOf(cmd)
	if err != nil {
		return nil, err
	}
	method := option(cmd, "request")
	switch {
	case method != "":
	case chosen(cmd, "head"):
		method = http.MethodHead
	case b != nil:
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
	if b != nil {
		if err := b.attach(r); err != nil {
			return nil, err
		}
	}
	if user := option(cmd, "user"); user != "" {
		name, password, err := userOf(cmd, user)
		if err != nil {
			return nil, err
		}
		r.SetBasicAuth(name, password)
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

// setHeaders adds the headers of -H to those that are there. The payment headers are not theirs to set.
func setHeaders(cmd *cobra.Command, r *http.Request) error {
	lines, err := cmd.Flags().GetStringArray("header")
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		value = strings.TrimSpace(value)
		if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.ContainsAny(value, "\r\n\x00") {
			return errHeader
		}
		switch {
		case name == "Pay-Token" || name == "Pay-Accept":
			return errors.New("the payment headers are made by fetch: --method chooses how to pay")
		case name == "Host":
			r.Host = value
		case value == "":
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
