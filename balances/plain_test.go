package balances

// This file runs the tests of the promises once more, on stores without a journal: Badger and the sidecar alone have to keep them, too.

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestPromisesWithoutAJournal(t *testing.T) {
	if testing.Short() || os.Getenv(plainEnv) != "" {
		t.Skip("once is enough, and not with -short")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestP[0-9]|^TestLate|^TestAdjustment|^TestProcessDurability", "-test.skip=Killed|Linearizable|Model", "-test.v")
	cmd.Env = append(os.Environ(), plainEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS: TestP") < 10 {
		t.Errorf("%v:\n%s", err, out)
	}
}
