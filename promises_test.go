package paydoor_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promise is a row of the tables of docs/promises.md.
type promise struct {
	number  string
	here    []string // tests that `go test ./...` runs
	interop []string // tests of interop/
}

// TestPromisesNameTestsThatExist keeps docs/promises.md true: a promise is worth what its test shows.
func TestPromisesNameTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for n := range 16 {
		want = append(want, fmt.Sprintf("P%d", n+1))
	}
	for n := range 7 {
		want = append(want, fmt.Sprintf("N%d", n+1))
	}
	declared := testsOf(t, ".")
	for _, p := range promisesIn(string(page)) {
		got = append(got, p.number)
		for _, fault := range p.faults(declared) {
			t.Errorf("docs/promises.md: %s %s", p.number, fault)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/promises.md has the promises %v, want %v", got, want)
	}
}

// faults says what is wrong with the tests of a promise, given the directories in which each test is declared.
func (p promise) faults(declared map[string][]string) (all []string) {
	if len(p.here) == 0 {
		all = append(all, "names no test that go test ./... runs")
	}
	inInterop := func(dir string) bool { return dir == "interop" }
	for _, name := range p.here {
		switch dirs := declared[name]; {
		case len(dirs) == 0:
			all = append(all, "names "+name+", which does not exist")
		case !slices.ContainsFunc(dirs, func(dir string) bool { return !inInterop(dir) }):
			all = append(all, "names "+name+", which is in interop/, without saying so")
		}
	}
	for _, name := range p.interop {
		if !slices.ContainsFunc(declared[name], inInterop) {
			all = append(all, "names "+name+" of interop/, which is not there")
		}
	}
	return all
}

// promisesIn reads the rows: number, promise, and what shows it, whose parts are separated by "; " and begin with "interop:" where they are
// tests of that.
func promisesIn(page string) (all []promise) {
	names := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	for _, row := range regexp.MustCompile(`(?m)^\| ([PN][0-9]+) \|.*\| ([^|]*) \|$`).FindAllStringSubmatch(page, -1) {
		p := promise{number: row[1]}
		for part := range strings.SplitSeq(row[2], "; ") {
			for _, name := range names.FindAllStringSubmatch(part, -1) {
				if strings.HasPrefix(part, "interop:") {
					p.interop = append(p.interop, name[1])
				} else {
					p.here = append(p.here, name[1])
				}
			}
		}
		all = append(all, p)
	}
	return all
}

func TestFaultsOfPromises(t *testing.T) {
	declared := map[string][]string{"TestA": {"balances"}, "TestB": {"interop"}, "TestC": {"store", "interop"}}
	for row, want := range map[string]int{
		"| P1 | **Good.** | `TestA`, `TestC`; interop: `TestB`, which counts; torture: kill |": 0,
		"| P2 | **Nothing.** | torture: kill |":                                                1,
		"| P3 | **Only interop.** | interop: `TestB` |":                                        1,
		"| P4 | **Not marked.** | `TestA`, `TestB` |":                                          1,
		"| P5 | **Marked and elsewhere.** | `TestC`; interop: `TestA` |":                       1,
		"| P6 | **Gone.** | `TestA`, `TestGone`; interop: `TestGone` |":                        2,
	} {
		all := promisesIn("text\n" + row + "\n")
		if len(all) != 1 {
			t.Errorf("%s: %d promises", row, len(all))
		} else if got := all[0].faults(declared); len(got) != want {
			t.Errorf("%s: %q, want %d", row, got, want)
		}
	}
}

// testsOf returns the names of all tests below dir, and the directories in which they are.
func testsOf(t *testing.T, dir string) map[string][]string {
	t.Helper()
	declaration := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	found := map[string][]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(path)
		for _, m := range declaration.FindAllSubmatch(b, -1) {
			found[string(m[1])] = append(found[string(m[1])], filepath.Dir(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
