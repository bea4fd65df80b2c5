//go:build unix

package caddymodule

// This file keeps root from making files in a data directory that the server, as another user, could not open any more.

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// checkOwner refuses a directory of another user.
func checkOwner(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() {
		return nil
	}
	owner := "#" + strconv.FormatUint(uint64(stat.Uid), 10)
	if known, err := user.LookupId(owner[1:]); err == nil {
		owner = known.Username
	}
	return fmt.Errorf("%s belongs to the user %s, and the files that you make there would not: run this as the user of the server, with sudo -u %s; or, if that is you, take the directory over with chown -R", dir, owner, owner)
}
