//go:build !failpoints

package failpoint

import "testing"

// Without the tag the environment has no say.
func TestNothingHappensWithoutTheTag(t *testing.T) {
	t.Setenv("PAYDOOR_FAILPOINT", "here:1")
	t.Setenv("PAYDOOR_FAILPOINT_SIZE", "7")
	Hit("here")
	if Value("SIZE", 3) != 3 {
		t.Error("the environment has changed a value")
	}
}
