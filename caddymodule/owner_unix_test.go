//go:build unix

package caddymodule

// This file has root work on the directory of a server that runs as another user.

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestDirectoriesOfOthersAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := checkOwner(dir); err != nil {
		t.Errorf("of our own: %v", err)
	}
	if os.Geteuid() != 0 {
		if err := checkOwner("/"); err == nil || !strings.Contains(err.Error(), "sudo -u root") {
			t.Errorf("of root: %v", err)
		}
		return
	}
	if err := errors.Join(os.Mkdir(dir+"/ledger", 0o700), write(dir+"/ledger/sidecar", "x"), os.Chown(dir+"/ledger", 65534, -1), os.Chown(dir, 65534, -1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := typed("", "check", "--dir", dir); err == nil || !strings.Contains(err.Error(), "sudo -u ") {
		t.Errorf("the check: %v", err)
	}
	if err := os.RemoveAll(dir + "/ledger"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := typed("", "restore", dir+"/backup", "--dir", dir); err == nil || !strings.Contains(err.Error(), "sudo -u ") {
		t.Errorf("restoring: %v", err)
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) > 0 {
		t.Errorf("there is %v (%v)", found, err)
	}
}
