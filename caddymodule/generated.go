package caddymodule

// This file makes the secrets that nobody configured: random, once, into files that only the owner can read.

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// receiverSecretFile is the file of the generated receiver secret in the data directory.
const receiverSecretFile = "receiver.secret"

// lostWithSecret is what becomes of a ledger without the secret that it was used with.
const lostWithSecret = "quotes and payment pointers that were given out before cannot be paid, and accounts that the API has made cannot be opened"

// generatedBytes is how much randomness a generated secret has.
const generatedBytes = 32

// generated returns the secret in the file dir/name, and makes it first if there is none: 43 characters of base64url.
func generated(dir, name string, random io.Reader) (string, error) {
	path := filepath.Join(dir, name)
	secret, err := readSecretFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	var b [generatedBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("generating %s: %w", name, err)
	}
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	if err := writeSecretFile(path, secret); err != nil {
		return "", fmt.Errorf("keeping the generated %s: %w", name, err)
	}
	return secret, nil
}

// readSecretFile returns the secret in path. A file that others can read, or that is too short, is an error: a secret that was
// shown, or cut, must not go on sealing quotes.
func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("reading a generated secret: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by other users: run chmod 600 on it, or, if somebody has, delete it so that a new one is made%s", path, costOfNew(path))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading a generated secret: %w", err)
	}
	secret := strings.TrimSpace(string(b))
	if len(secret) < minSecret {
		return "", fmt.Errorf("%s is damaged: put a copy of it in place, or delete it so that a new one is made%s", path, costOfNew(path))
	}
	return secret, nil
}

// costOfNew is what somebody should know before he deletes a generated secret. The tokens cost nothing but telling the new ones.
func costOfNew(path string) string {
	if filepath.Base(path) != receiverSecretFile {
		return ""
	}
	return "; with a new one " + lostWithSecret
}

// writeSecretFile leaves either the whole file or none, also after a power cut.
func writeSecretFile(path, secret string) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = temporary.Close()
			_ = os.Remove(temporary.Name())
		}
	}()
	if _, err := temporary.WriteString(secret + "\n"); err != nil {
		return err
	}
	if err := temporary.Sync(); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes a rename durable. Windows cannot and need not.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Sync()
}
