package cli

// This file writes what came: headers, the body to stdout or a file, or a line of JSON.

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/paydoor/paydoor/payer"
)

// longestJSON is how much of a body goes into a line of JSON.
const longestJSON = 64 << 20

// report is the line of --json. Amounts are decimal strings, because JSON readers round large numbers.
type report struct {
	URL         string    `json:"url"`
	Status      int       `json:"status,omitempty"`
	ContentType string    `json:"content_type,omitempty"`
	Balance     string    `json:"balance,omitempty"` // as the host says
	Payments    []paid    `json:"payments"`
	File        string    `json:"file,omitempty"`
	Body        *string   `json:"body,omitempty"`
	BodyBase64  string    `json:"body_base64,omitempty"`
	Price       *dryPrice `json:"price,omitempty"` // of --dry-run
	Error       string    `json:"error,omitempty"`
	Exit        int       `json:"exit"`
}

// paid is a payment in a report.
type paid struct {
	Host      string `json:"host"`
	Method    string `json:"method"`
	Due       string `json:"due,omitempty"`
	Sent      string `json:"sent"`
	Delivered string `json:"delivered"`
	Unknown   string `json:"unknown,omitempty"`
	Error     string `json:"error,omitempty"`
}

// checkOutputs checks the flags for files against the URLs, and that the files can be written, before anything is paid.
func (f *fetcher) checkOutputs(urls []*url.URL) error {
	outputs, err := f.cmd.Flags().GetStringArray("output")
	if err != nil {
		return err
	}
	switch {
	case len(outputs) > len(urls):
		return errors.New("there are more -o than URLs")
	case len(outputs) > 0 && chosen(f.cmd, "remote-name"):
		return errors.New("-o and -O are two names for a file: leave one out")
	case chosen(f.cmd, "dry-run"):
		return nil
	}
	for i, u := range urls {
		name, err := f.outputFile(u, i)
		if err != nil {
			return err
		}
		if err := tryOutput(name); err != nil {
			return fmt.Errorf("the output: %w", err)
		}
	}
	return nil
}

// tryOutput says why a file could not be written, and leaves everything as it is.
func tryOutput(name string) error {
	if name == "" {
		return nil
	}
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil // a pipe or a device: opening it does something
	}
	f, opened := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if opened != nil {
		return opened
	}
	opened = f.Close()
	if !errors.Is(err, fs.ErrNotExist) {
		return opened
	}
	made := name
	if info, err := os.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 { // a link to what was not there stays
		if made, err = filepath.EvalSymlinks(name); err != nil {
			return errors.Join(opened, err)
		}
	}
	return errors.Join(opened, os.Remove(made))
}

// outputFile returns the name of the file for the body; "" is stdout.
func (f *fetcher) outputFile(u *url.URL, index int) (string, error) {
	outputs, err := f.cmd.Flags().GetStringArray("output")
	if err != nil {
		return "", err
	}
	if index < len(outputs) && outputs[index] != "-" {
		return outputs[index], nil
	}
	if !chosen(f.cmd, "remote-name") {
		return "", nil
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" || name == ".." || strings.ContainsFunc(name, func(c rune) bool { return c == '\\' || c == filepath.Separator || c < ' ' }) {
		return "", errors.New("-O: the URL ends in no name for a file: use -o")
	}
	return name, nil
}

// answer writes the answer, and says how it ended.
func (f *fetcher) answer(r *http.Request, response *http.Response, index int) (err error) {
	f.show.paid(f.payments, response)
	ended := judge(r, response)
	name, err := f.outputFile(f.urls[index], index)
	if err != nil {
		return err
	}
	if chosen(f.cmd, "json") {
		return f.answerJSON(r, response, name, ended)
	}
	if chosen(f.cmd, "fail") && response.StatusCode >= http.StatusBadRequest {
		return ended
	}
	out, done, err := f.create(name)
	if err != nil {
		return err
	}
	defer func() {
		if failed := done(); err == nil || failed != nil {
			err = errors.Join(err, failed)
		}
	}()
	if chosen(f.cmd, "include") || chosen(f.cmd, "head") {
		if err := writeHead(out, response); err != nil {
			return err
		}
	}
	if err := f.copyBody(r.Context(), out, response, name != ""); err != nil {
		return err
	}
	return ended
}

// create opens what the body goes to.
func (f *fetcher) create(name string) (out io.Writer, done func() error, err error) {
	if name == "" {
		return f.cmd.OutOrStdout(), func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, nil, fmt.Errorf("the output: %w", err)
	}
	return file, file.Close, nil
}

// copyBody copies the body as it comes.
func (f *fetcher) copyBody(ctx context.Context, out io.Writer, response *http.Response, toFile bool) error {
	in := f.show.download(response, toFile)
	_, err := io.Copy(writeErrors{out}, in)
	f.show.clear()
	if failed, ok := errors.AsType[writeError](err); ok {
		return fmt.Errorf("the output: %w", failed.error)
	}
	if err != nil {
		return lost(ctx, fmt.Errorf("the answer broke off: %w", ended(ctx, plain(err))), f.unknown())
	}
	return nil
}

// writeErrors tells errors of the output from those of the answer.
type writeErrors struct{ io.Writer }

type writeError struct{ error }

func (w writeErrors) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil {
		err = writeError{err}
	}
	return n, err
}

// writeHead writes the status line and the headers, in order.
func writeHead(out io.Writer, response *http.Response) error {
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s\r\n", response.Proto, response.Status)
	for _, name := range headerNames(response.Header) {
		for _, value := range response.Header[name] {
			fmt.Fprintf(&head, "%s: %s\r\n", name, value)
		}
	}
	head.WriteString("\r\n")
	_, err := out.Write(head.Bytes())
	return err
}

func headerNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// answerJSON writes a line about the answer, also if not all of it came.
func (f *fetcher) answerJSON(r *http.Request, response *http.Response, name string, ended error) error {
	body, err := f.bodyJSON(r.Context(), response, name)
	if err != nil {
		ended = err
	}
	line := f.newReport(r, ended)
	line.Status, line.ContentType, line.Balance = response.StatusCode, response.Header.Get("Content-Type"), response.Header.Get("Pay-Balance")
	if line.File = name; name == "" && err == nil {
		line.setBody(body)
	}
	return errors.Join(ended, f.write(line))
}

// bodyJSON returns the body, or writes it to the file.
func (f *fetcher) bodyJSON(ctx context.Context, response *http.Response, name string) ([]byte, error) {
	if name != "" {
		out, done, err := f.create(name)
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(f.copyBody(ctx, out, response, true), done())
	}
	b, err := io.ReadAll(io.LimitReader(response.Body, longestJSON+1))
	if err != nil {
		return nil, lost(ctx, fmt.Errorf("the answer broke off: %w", ended(ctx, plain(err))), f.unknown())
	}
	if len(b) > longestJSON {
		return nil, errors.New("the body is too long for JSON: write it to a file with -o")
	}
	return b, nil
}

func (l *report) setBody(b []byte) {
	if utf8.Valid(b) {
		text := string(b)
		l.Body = &text
		return
	}
	l.BodyBase64 = base64.StdEncoding.EncodeToString(b)
}

// reportFailure writes a line about a request without an answer.
func (f *fetcher) reportFailure(r *http.Request, failed error) error {
	if !chosen(f.cmd, "json") {
		return nil
	}
	return f.write(f.newReport(r, failed))
}

func (f *fetcher) newReport(r *http.Request, ended error) *report {
	line := &report{URL: r.URL.Redacted(), Payments: []paid{}, Exit: ExitStatus(ended)}
	if ended != nil {
		line.Error = cleanLines(ended.Error())
	}
	for _, p := range f.payments {
		line.Payments = append(line.Payments, newPaid(p))
	}
	return line
}

func newPaid(p payer.Progress) paid {
	made := paid{Host: p.Host, Method: p.Method, Sent: p.Sent.String(), Delivered: p.Delivered.String()}
	if p.Due > 0 {
		made.Due = p.Due.String()
	}
	if p.Unknown > 0 {
		made.Unknown = p.Unknown.String()
	}
	if p.Err != nil {
		made.Error = clean(p.Err.Error())
	}
	return made
}

func (f *fetcher) write(line *report) error {
	out := json.NewEncoder(f.cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	return out.Encode(line)
}
