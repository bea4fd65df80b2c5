//go:build failpoints

package failpoint

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestMain is also the process that a test has killed: asked to by the environment, it passes two places five times and ends well.
func TestMain(m *testing.M) {
	if os.Getenv("PAYDOOR_FAILPOINT_TEST") == "" {
		os.Exit(m.Run())
	}
	for range 5 {
		Hit("there")
		Hit("here")
	}
}

func TestPlacesEndTheProcess(t *testing.T) {
	tests := map[string]struct {
		points string
		killed bool
		status int
		least  time.Duration
	}{
		"none":                 {points: ""},
		"the third time":       {points: "here:3", killed: true},
		"the fifth time":       {points: "here:5", killed: true},
		"not often enough":     {points: "here:6"},
		"another place":        {points: "elsewhere:1"},
		"held up":              {points: "here:2=300ms", least: 300 * time.Millisecond},
		"held up, then killed": {points: "there:1=300ms,here:5", killed: true, least: 300 * time.Millisecond},
		"without a count":      {points: "here", status: 2},
		"a count of 0":         {points: "here:0", status: 2},
		"no duration":          {points: "here:1=soon", status: 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), "PAYDOOR_FAILPOINT_TEST=1", "PAYDOOR_FAILPOINT="+test.points)
			begin := time.Now()
			_ = child.Run() // how it ended is in its state
			state := child.ProcessState.Sys().(syscall.WaitStatus)
			if state.Signaled() != test.killed || test.killed && state.Signal() != syscall.SIGKILL || !test.killed && state.ExitStatus() != test.status {
				t.Errorf("it ended with %v", child.ProcessState)
			}
			if took := time.Since(begin); took < test.least {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestValue(t *testing.T) {
	t.Setenv("PAYDOOR_FAILPOINT_SIZE", "7")
	t.Setenv("PAYDOOR_FAILPOINT_OTHER", "seven")
	if Value("SIZE", 3) != 7 || Value("OTHER", 3) != 3 || Value("NONE", 3) != 3 {
		t.Errorf("%d %d %d", Value("SIZE", 3), Value("OTHER", 3), Value("NONE", 3))
	}
}
