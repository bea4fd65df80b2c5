package cli

// This file makes bodies of -d and --data-binary, and of the parts that form.go makes of -F. Files are read when they are sent, as often as that is; stdin once, for all URLs.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// body is what a request carries: parts, one after the other.
type body struct {
	kind  string // the media type
	parts []part
	once  bool // it can be sent only once
}

// part is text, a file, or a pipe that was too long to keep.
type part struct {
	text []byte
	file string // if not ""
	pipe *pipe  // if not nil
	size int64  // -1: unknown
}

// pipe is what can be read once.
type pipe struct {
	io.Reader
	close func() error
}

const (
	// waitFrom is the size from which on the server is asked before the body is sent (Expect: 100-continue), so that a 402 comes first.
	waitFrom = 64 << 10
	// mostKept is how much of a pipe is kept, so that it can be sent again.
	mostKept = 1 << 20
)

// datum is a value of one of the flags for data.
type datum struct{ flag, value string }

// dataFlag is a flag that keeps its values together with those of its like, in the order of the command line.
type dataFlag struct {
	name string
	all  *[]datum
}

func addDataFlags(flags *pflag.FlagSet) {
	var all []datum
	flags.VarP(&dataFlag{"data", &all}, "data", "d", "The body, sent as a form; @FILE reads it from a file without line ends, @- from stdin; several are joined by &")
	flags.Var(&dataFlag{"data-raw", &all}, "data-raw", "The same, in which @ means nothing")
	flags.Var(&dataFlag{"data-binary", &all}, "data-binary", "The same, and @FILE is sent as it is")
}

// Set takes a value.
func (d *dataFlag) Set(value string) error {
	*d.all = append(*d.all, datum{d.name, value})
	return nil
}

// Type is what the help calls the value.
func (d *dataFlag) Type() string { return "string" }

func (d *dataFlag) String() string { return "" }

// bodyOf reads the flags; nil: there is no body.
func bodyOf(cmd *cobra.Command) (*body, error) {
	form, err := cmd.Flags().GetStringArray("form")
	if err != nil {
		return nil, err
	}
	data, _ := cmd.Flag("data").Value.(*dataFlag)
	switch {
	case len(*data.all) > 0 && len(form) > 0:
		return nil, errors.New("-F and -d make two bodies: leave one out")
	case len(form) > 0:
		return formOf(cmd, form)
	case len(*data.all) > 0:
		return dataOf(cmd, *data.all)
	}
	return nil, nil
}

// dataOf joins the values.
func dataOf(cmd *cobra.Command, all []datum) (b *body, err error) {
	b = &body{kind: "application/x-www-form-urlencoded"}
	for i, d := range all {
		if i > 0 {
			b.add("&")
		}
		file, named := strings.CutPrefix(d.value, "@")
		switch {
		case !named || d.flag == "data-raw":
			b.add(d.value)
		case d.flag == "data":
			err = b.addStripped(cmd, file)
		default:
			err = b.addFile(cmd, file)
		}
		if err != nil {
			return nil, err
		}
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
	b.add(string(slices.DeleteFunc(text, func(c byte) bool { return c == '\n' || c == '\r' || c == 0 })))
	return nil
}

// addFile adds a file as it is.
func (b *body) addFile(cmd *cobra.Command, file string) error {
	if file != "-" {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("the body: %w", err)
		}
		if info.IsDir() {
			return fmt.Errorf("the body: %s is a directory", file)
		}
		if info.Mode().IsRegular() {
			b.parts = append(b.parts, part{file: file, size: info.Size()})
			return nil
		}
	}
	in, done, err := openFile(cmd, file)
	if err != nil {
		return err
	}
	return b.addPipe(in, done)
}

// addPipe adds stdin, or what else is no plain file. If it is short it is kept, else it can be sent once.
func (b *body) addPipe(in io.Reader, done func() error) error {
	begin, err := io.ReadAll(io.LimitReader(in, mostKept+1))
	if err != nil {
		return fmt.Errorf("reading the body: %w", errors.Join(err, done()))
	}
	if len(begin) <= mostKept {
		b.add(string(begin))
		return done()
	}
	b.parts = append(b.parts, part{pipe: &pipe{io.MultiReader(bytes.NewReader(begin), in), done}, size: -1})
	b.once = true
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
		case p.pipe != nil:
			made.closers = append(made.closers, p.pipe.close)
			readers = append(readers, p.pipe)
		case p.file != "":
			f, err := os.Open(p.file)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("the body: %w", err), made.Close())
			}
			made.closers = append(made.closers, f.Close)
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
	closers []func() error
}

// Close closes the files.
func (r *reading) Close() error {
	var errs []error
	for _, end := range r.closers {
		errs = append(errs, end())
	}
	r.closers = nil
	return errors.Join(errs...)
}
