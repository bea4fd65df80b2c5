package rig

// This file finds the checkout and builds the gateway in it.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ModuleRoot is the checkout, wherever in it the command runs.
func ModuleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").CombinedOutput()
	path := strings.TrimSpace(string(out))
	if err != nil || path == "" || path == os.DevNull {
		return "", errors.New("run this inside the checkout of Paydoor, with go on the PATH")
	}
	return filepath.Dir(path), nil
}

// Build makes the gateway of the checkout in root, as the file binary; flags go to go build.
func Build(ctx context.Context, root, binary string, flags ...string) error {
	return BuildCommand(ctx, root, "./cmd/paydoor", binary, flags...)
}

// BuildCommand makes another command of the checkout.
func BuildCommand(ctx context.Context, root, command, binary string, flags ...string) error {
	c := exec.CommandContext(ctx, "go", append(append([]string{"build"}, flags...), "-o", binary, command)...)
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", command, err, out)
	}
	return nil
}
