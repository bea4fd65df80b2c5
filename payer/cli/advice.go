package cli

// This file says what to do about a wallet that the machine does not let us use.

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/paydoor/paydoor/payer"
)

// advised adds to the error of a wallet what to do next.
func advised(err error) error {
	switch {
	case !errors.Is(err, payer.ErrWallet):
		return err
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: the directory of a wallet and its files have to be yours to write; --wallet or %s names another", err, walletVariable)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("%w: --wallet or %s names another directory", err, walletVariable)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: make room on that disk", err)
	}
	return err
}
