//go:build !linux

// Command bench measures what Paydoor costs. It reads clocks and opens sockets in Linux's own way.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: this command runs on Linux only")
	os.Exit(1)
}
