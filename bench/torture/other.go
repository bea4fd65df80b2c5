//go:build !linux

// Command torture breaks the gateway in every way it can, and counts its money after each. It mounts, traces and signals in Linux's own way.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "torture: this command runs on Linux only")
	os.Exit(1)
}
