package cli

// This file makes bodies of -d, --data-binary and -F. Files are read when they are sent, as often as that is.

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// body is what a request carries: parts, one after the other.
type body struct {
	kind  string // the media type
	parts []part
	once  bool // it can be sent only once
}

// part is text, or a file or stdin.
type part struct {
	text []byte
	file string    // if not ""
	in   io.Reader // if not nil
	size int64     // -1: unknown
}

// waitFrom is the size from which on the server is asked before the body is sent (Expect: 100-continue), so that a 402 comes first.
const waitFrom = 64 << 10

// bodyOf reads the flags; nil: there is no body.
func bodyOf(cmd *cobra.Command) (*body, error) {
	form, err := cmd.Flags().GetStringArray("form")
	if err != nil {
		return nil, err
	}
	data, err := dataOf(cmd)
	switch {
	case err != nil:
		return nil, err
	case data != nil && len(form) > 0:
		return nil, errors.New("-F and -d make two bodies: leave one out")
	case len(form) > 0:
		return formOf(form)
	}
	return data, nil
}

// dataOf joins the values of the three flags for data.
func dataOf(cmd *cobra.Command) (*body, error) {
	b := &body{kind: "application/x-www-form-urlencoded"}
	for _, flag := range []string{"data", "data-raw", "data-binary"} {
		values, err := cmd.Flags().GetStringArray(flag)
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			if len(b.parts) > 0 {
				b.add("&")
			}
			file, named := strings.CutPrefix(value, "@")
			switch {
			case !named || flag == "data-raw":
				b.add(value)
			case flag == "data":
				err = b.addStripped(cmd, file)
			default:
				err = b.addFile(cmd, file)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if len(b.parts) == 0 {
		return nil, nil
	}
	return b, nil
}

func (b *body) add(text string) {
	b.parts = append(b.parts, part{text: []byte(text), size: int64(len(text))})
}

// addStripped adds a file without its line ends and zero bytes, as curl's -d does.
func (b *body) addStripped(cmd *cobra.Command, file string) error {
	in, done, err := openFile(cmd, file)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(in)
	if err := errors.Join(err, done()); err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	b.add(string(bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == 0 {
			return -1
		}
		return r
	}, text)))
	return nil
}

// addFile adds a file as it is. What is no plain file, such as stdin, has no size and can be read once.
func (b *body) addFile(cmd *cobra.Command, file string) error {
	if file == "-" {
		b.parts = append(b.parts, part{in: cmd.InOrStdin(), size: -1})
		b.once = true
		return nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("the body: %w", err)
	}
	p := part{file: file, size: info.Size()}
	if !info.Mode().IsRegular() {
		p.size, b.once = -1, true
	}
	b.parts = append(b.parts, p)
	return nil
}

func openFile(cmd *cobra.Command, file string) (in io.Reader, done func() error, err error) {
	if file == "-" {
		return cmd.InOrStdin(), func() error { return nil }, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("the body: %w", err)
	}
	return f, f.Close, nil
}

// formOf makes a multipart form (RFC 7578).
func formOf(fields []string) (*body, error) {
	boundary := rand.Text()
	b := &body{kind: "multipart/form-data; boundary=" + boundary}
	for _, field := range fields {
		name, value, ok := strings.Cut(field, "=")
		if !ok || name == "" {
			return nil, errors.New("-F takes NAME=VALUE or NAME=@FILE")
		}
		b.add("--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + quoted(name) + "\"")
		file, named := strings.CutPrefix(value, "@")
		if !named {
			b.add("\r\n\r\n" + value + "\r\n")
			continue
		}
		file, kind, typed := strings.Cut(file, ";type=")
		if !typed {
			kind = mime.TypeByExtension(filepath.Ext(file))
		}
		if kind == "" {
			kind = "application/octet-stream"
		}
		if strings.ContainsAny(kind, "\r\n") {
			return nil, errors.New("-F: a type is one line")
		}
		b.add("; filename=\"" + quoted(filepath.Base(file)) + "\"\r\nContent-Type: " + kind + "\r\n\r\n")
		if err := b.addFile(nil, file); err != nil {
			return nil, err
		}
		b.add("\r\n")
	}
	b.add("--" + boundary + "--\r\n")
	return b, nil
}

// quoted escapes a name as browsers do.
func quoted(name string) string {
	return strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22").Replace(name)
}

// attach gives r the body.
func (b *body) attach(r *http.Request) error {
	for _, p := range b.parts {
		if p.size < 0 || r.ContentLength < 0 {
			r.ContentLength = -1
			continue
		}
		r.ContentLength += p.size
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header[textproto.CanonicalMIMEHeaderKey("Content-Type")] = []string{b.kind}
	}
	if r.ContentLength == 0 {
		r.Body, r.GetBody = http.NoBody, func() (io.ReadCloser, error) { return http.NoBody, nil }
		return nil
	}
	if r.ContentLength >= waitFrom {
		r.Header.Set("Expect", "100-continue")
	}
	first, err := b.open()
	if err != nil {
		return err
	}
	r.Body = first
	if !b.once {
		r.GetBody = b.open
	}
	return nil
}

// open returns the body from its beginning.
func (b *body) open() (io.ReadCloser, error) {
	made := &reading{}
	var readers []io.Reader
	for _, p := range b.parts {
		switch {
		case p.in != nil:
			readers = append(readers, p.in)
		case p.file != "":
			f, err := os.Open(p.file)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("the body: %w", err), made.Close())
			}
			made.files = append(made.files, f)
			readers = append(readers, f)
		default:
			readers = append(readers, bytes.NewReader(p.text))
		}
	}
	made.Reader = io.MultiReader(readers...)
	return made, nil
}

// reading is a body that is being sent.
type reading struct {
	io.Reader
	files []*os.File
}

// Close closes the files.
func (r *reading) Close() error {
	var errs []error
	for _, f := range r.files {
		errs = append(errs, f.Close())
	}
	r.files = nil
	return errors.Join(errs...)
}
