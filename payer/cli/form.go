package cli

// This file makes multipart forms of -F.

import (
	"cmp"
	"crypto/rand"
	"errors"
	"mime"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// formOf makes a multipart form (RFC 7578).
func formOf(cmd *cobra.Command, fields []string) (*body, error) {
	boundary := rand.Text()
	b := &body{kind: "multipart/form-data; boundary=" + boundary}
	for _, field := range fields {
		name, value, ok := strings.Cut(field, "=")
		if !ok || name == "" {
			return nil, errors.New("-F takes NAME=VALUE, NAME=@FILE or NAME=<FILE")
		}
		b.add("--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + quoted(name) + "\"")
		if err := b.addField(cmd, value); err != nil {
			return nil, err
		}
		b.add("\r\n")
	}
	b.add("--" + boundary + "--\r\n")
	return b, nil
}

// addField adds the rest of the head of a field, and its content: the value, a file that is uploaded (@), or what a file says (<).
func (b *body) addField(cmd *cobra.Command, value string) error {
	file, upload := strings.CutPrefix(value, "@")
	content, named := strings.CutPrefix(value, "<")
	switch {
	case upload:
		file, kind, filename := fileOptions(file)
		if strings.ContainsAny(kind, "\r\n") {
			return errors.New("-F: a type is one line")
		}
		b.add("; filename=\"" + quoted(filename) + "\"\r\nContent-Type: " + kind + "\r\n\r\n")
		return b.addFile(cmd, file)
	case named:
		b.add("\r\n\r\n")
		return b.addFile(cmd, content)
	}
	b.add("\r\n\r\n" + value)
	return nil
}

// fileOptions takes ;type= and ;filename= off the name of a file, and says what holds without them.
func fileOptions(text string) (file, kind, filename string) {
	file = text
	for {
		i := max(strings.LastIndex(file, ";type="), strings.LastIndex(file, ";filename="))
		if i < 0 {
			break
		}
		if value, ok := strings.CutPrefix(file[i:], ";type="); ok {
			kind = value
		} else {
			filename = file[i+len(";filename="):]
		}
		file = file[:i]
	}
	filename = cmp.Or(filename, filepath.Base(file))
	return file, cmp.Or(kind, mime.TypeByExtension(filepath.Ext(filename)), "application/octet-stream"), filename
}

// quoted escapes a name as browsers do.
func quoted(name string) string {
	return strings.NewReplacer("\r", "%0D", "\n", "%0A", `"`, "%22").Replace(name)
}
