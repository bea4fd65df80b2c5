//go:build linux

package main

// This file is the report: a table for people, and the same as JSON.

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is what came of one kind.
type result struct {
	Kind    string            `json:"kind"`
	Wanted  int               `json:"wanted"`
	Cycles  int               `json:"cycles"` // that were right
	NotRun  string            `json:"not_run,omitempty"`
	Failure string            `json:"failure,omitempty"`
	Replay  string            `json:"replay,omitempty"`
	Seconds float64           `json:"seconds"`
	Counts  map[string]uint64 `json:"counts"`
}

func (r *result) state() string {
	switch {
	case r.NotRun != "":
		return "NOT RUN"
	case r.Failure != "":
		return "FAILED"
	case r.Cycles < r.Wanted:
		return "cut short"
	}
	return "passed"
}

// report is what came of a run.
type report struct {
	Seed    uint64    `json:"seed"`
	Seconds float64   `json:"seconds"`
	Kinds   []*result `json:"kinds"`

	demanded bool // a kind that could not run is a failure
}

func newReport(o options) *report { return &report{Seed: o.seed, demanded: o.ci || len(o.kinds) > 0} }

func (r *report) add(k *result) { r.Kinds = append(r.Kinds, k) }

// failed says whether a kind has failed.
func (r *report) failed() bool {
	return slices.ContainsFunc(r.Kinds, func(k *result) bool { return k.Failure != "" })
}

func (r *report) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nkind\tcycles\t\tseconds\tcounts\n")
	for _, k := range r.Kinds {
		var counts []string
		for _, name := range slices.Sorted(maps.Keys(k.Counts)) {
			if !strings.Contains(name, "/") { // the failpoints are many, and in the JSON
				counts = append(counts, fmt.Sprintf("%s %d", name, k.Counts[name]))
			}
		}
		note := strings.Join(counts, ", ")
		if k.NotRun != "" {
			note = k.NotRun
		}
		fmt.Fprintf(w, "%s\t%d/%d\t%s\t%.1f\t%s\n", k.Kind, k.Cycles, k.Wanted, k.state(), k.Seconds, note)
	}
	_ = w.Flush() // to memory
	fmt.Fprintf(&b, "seed %d, %.0f s\n", r.Seed, r.Seconds)
	for _, k := range r.Kinds {
		if k.Failure != "" {
			fmt.Fprintf(&b, "\n%s FAILED: %s\nreplay with: %s\n", k.Kind, k.Failure, k.Replay)
		}
	}
	return b.String()
}

func (r *report) writeJSON(path string, w io.Writer) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if path == "-" {
		_, err = w.Write(text)
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// err is nil when nothing has failed, nothing was cut short, and all that was demanded could run.
func (r *report) err(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, k := range r.Kinds {
		if k.Failure != "" {
			return fmt.Errorf("%s failed", k.Kind)
		}
	}
	for _, k := range r.Kinds {
		if k.NotRun != "" && r.demanded {
			return fmt.Errorf("%s could not run: %s", k.Kind, k.NotRun)
		}
	}
	return nil
}
