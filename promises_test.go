package paydoor_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromisesNameTestsThatExist keeps docs/promises.md true: a promise is worth what its test shows.
func TestPromisesNameTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	exists := testsOf(t, ".")
	named := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`").FindAllStringSubmatch(string(page), -1)
	for _, name := range named {
		if !exists[name[1]] {
			t.Errorf("docs/promises.md names %s, which does not exist", name[1])
		}
	}
	for _, promise := range []string{"P1 ", "P8 ", "P16 "} {
		if !strings.Contains(string(page), "| "+promise+"|") {
			t.Errorf("docs/promises.md has no %s", promise)
		}
	}
}

// testsOf returns the names of all tests below dir.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	declaration := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	found := map[string]bool{}
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
			found[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
