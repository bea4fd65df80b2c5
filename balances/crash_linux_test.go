package balances

// This file copies a store's directory as a crash would leave it, without the holes that Badger's files mostly are.

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

func copySparse(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if err != nil || d.IsDir() {
			if err == nil {
				err = os.Mkdir(target, 0o700)
			}
			return err
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer out.Close()
		return copyData(in, out)
	})
}

func copyData(in, out *os.File) error {
	info, err := in.Stat()
	if err == nil {
		err = out.Truncate(info.Size())
	}
	for at := int64(0); err == nil && at < info.Size(); {
		var start, end int64
		if start, err = in.Seek(at, unix.SEEK_DATA); err != nil {
			return nil // only a hole is left
		}
		if end, err = in.Seek(start, unix.SEEK_HOLE); err == nil {
			_, err = io.Copy(io.NewOffsetWriter(out, start), io.NewSectionReader(in, start, end-start))
		}
		at = end
	}
	return err
}
