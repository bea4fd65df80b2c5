package caddymodule

// This file finds the one name of a data directory, so that two spellings of it are never opened twice.

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// canonicalDirectory returns the absolute path of dir without symbolic links. The directory, and the ones above it, need not exist
// yet: what does not is kept as written, and nothing is made.
func canonicalDirectory(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("data_dir %s: %w", dir, err)
	}
	missing := ""
	for existing := absolute; ; existing = filepath.Dir(existing) {
		real, err := filepath.EvalSymlinks(existing)
		switch {
		case err == nil:
			return filepath.Join(real, missing), nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("data_dir %s: %w", dir, wayIn(err))
		case existing == filepath.Dir(existing):
			return absolute, nil
		}
		missing = filepath.Join(filepath.Base(existing), missing)
	}
}

// wayIn adds what to do to an error of a user who may not do something in a data directory, or has named something else.
func wayIn(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w; the user that paydoor runs as must be able to write there: give that user the directory with chown -R, or write another data_dir into the ilp block", err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w; a file stands where the directory should be: write another data_dir into the ilp block, or move the file away", err)
	}
	return err
}
