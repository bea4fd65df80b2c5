//go:build linux

package main

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if isSender() {
		os.Exit(beSender(context.Background()))
	}
	goleak.VerifyTestMain(m)
}
