package caddymodule

// This file is `paydoor tokens backup`: the ledger of the running server as one file.

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE [--force] [--address ADMIN] [--json]",
		Short: "Backs up the ledger of the running server",
		Long: `
Writes one moment of the whole ledger into FILE, while the server goes on. The file has mode 0600 and appears under its name only once it is
complete and on disk; one that is there is overwritten only with --force. Generated secrets of the data directory are not in it: keep
copies of receiver.secret yourself.`,
		Args: plain(cobra.ExactArgs(1), "write the name of the file to make behind backup"),
		RunE: ending(func(cmd *cobra.Command, args []string) error { return runBackup(cmd, args[0]) }),
	}
	cmd.Flags().Bool("force", false, "Overwrite FILE if it is there")
	addAddressFlags(cmd)
	addOutputFlag(cmd)
	return cmd
}

// backupAnswer is what was written.
type backupAnswer struct {
	File     string `json:"file"`
	Bytes    int64  `json:"bytes"`
	Sequence string `json:"sequence"` // the last group of changes that is in it
}

func runBackup(cmd *cobra.Command, file string) error {
	force := option(cmd, "force") == "true"
	err := checkNewFile(file)
	switch {
	case errors.Is(err, fs.ErrExist) && force:
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%w, or overwrite it with --force", err)
	case err != nil:
		return err
	}
	answer := backupAnswer{File: file}
	err = writeWhole(file, force, func(w io.Writer) (err error) {
		response, err := ask(cmd, http.MethodPost, "/paydoor/backup", nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, response.Body.Close()) }()
		shown := progressOn(cmd.ErrOrStderr())
		defer shown.end()
		answer.Bytes, answer.Sequence, err = receiveBackup(w, shown, response)
		return err
	})
	if err != nil {
		return err
	}
	return output(cmd, answer, func(w io.Writer) {
		row(w, "backup", file)
		row(w, "size", humanize.IBytes(uint64(answer.Bytes)))
		row(w, "up to group", answer.Sequence)
	})
}

// receiveBackup writes what the server sends. Whose fault it is if that fails decides where to look: the server's log, or the disk here.
func receiveBackup(w, shown io.Writer, response *http.Response) (size int64, sequence string, err error) {
	here := &failing{Writer: w}
	size, err = io.Copy(io.MultiWriter(here, shown), response.Body)
	if here.failed != nil {
		return size, "", here.failed
	}
	if sequence = response.Trailer.Get(backupSequence); err == nil && sequence == "" {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return size, "", fmt.Errorf("the server broke the backup off; its log says why: %w", err)
	}
	return size, sequence, nil
}

// failing notes the error of a writer.
type failing struct {
	io.Writer
	failed error
}

func (f *failing) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	f.failed = errors.Join(f.failed, err)
	return n, err
}

// checkNewFile says what is against making a file of that name, before the work of filling it: fs.ErrExist for one that is there.
func checkNewFile(file string) error {
	if file == "" {
		return errors.New("the name of the file to make is empty")
	}
	found, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case found.IsDir():
		return fmt.Errorf("%s is a directory: name a file to make in it", file)
	}
	return fmt.Errorf("%w: %s: choose another name", fs.ErrExist, file)
}

// writeWhole makes a file with mode 0600 that is complete and on disk, or none.
func writeWhole(file string, force bool, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoring(os.Remove(f.Name()), fs.ErrNotExist))
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if force {
		err = os.Rename(f.Name(), file)
	} else {
		err = renameToNew(f.Name(), file, os.Link)
	}
	if err != nil {
		return err
	}
	return syncDirectoryOf(file)
}

// renameToNew is a rename that does not replace what came meanwhile: a link does not. Where the file system has none, as on many sticks and shares,
// an empty file takes the name first.
func renameToNew(part, file string, link func(part, file string) error) error {
	err := link(part, file)
	if err == nil {
		return os.Remove(part)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	taken, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err = taken.Close(); err == nil {
		err = os.Rename(part, file)
	}
	if err != nil { // it is the empty one still
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

func ignoring(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

func syncDirectoryOf(file string) error {
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// progress shows on a terminal how much was read.
type progress struct {
	to    io.Writer // nil: nobody looks
	bytes uint64
	shown time.Time
}

func progressOn(w io.Writer) *progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &progress{to: w}
	}
	return new(progress)
}

func (p *progress) Write(b []byte) (int, error) {
	p.bytes += uint64(len(b))
	if now := time.Now(); p.to != nil && now.Sub(p.shown) > 200*time.Millisecond {
		p.shown = now
		_, _ = fmt.Fprintf(p.to, "\r%s ", humanize.IBytes(p.bytes))
	}
	return len(b), nil
}

func (p *progress) end() {
	if p.to != nil {
		_, _ = fmt.Fprint(p.to, "\r")
	}
}
