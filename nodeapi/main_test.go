package nodeapi

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(historyChild); dir != "" {
		payUntilKilled(dir)
		return
	}
	goleak.VerifyTestMain(m)
}
