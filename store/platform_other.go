//go:build !linux

package store

// This file is what the store asks of systems other than Linux. The space left is not known there, and the space guard is off;
// files get blocks when they are written.

import (
	"errors"
	"math"
	"os"
)

func datasync(f *os.File) error { return f.Sync() }

func freeSpace(string) (uint64, error) { return math.MaxUint64, nil }

func allocate(*os.File, int64) error { return errors.ErrUnsupported }
