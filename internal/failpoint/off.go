//go:build !failpoints

// Package failpoint lets bench/torture end the process, or hold it up, at places that have a name. It does so only in binaries built with
// the tag failpoints; in all others its functions are empty, and the compiler leaves nothing of them.
package failpoint

// Hit does nothing.
func Hit(name string) {}

// Value returns usual.
func Value(name string, usual int64) int64 { return usual }
