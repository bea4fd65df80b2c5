package main

// This file asks the binary what it is.

import (
	"regexp"
	"strings"
	"testing"
)

func TestHelpIsOfPaydoor(t *testing.T) {
	p := newProcess(t)
	help := p.run("")
	for _, line := range []string{"front door for paid HTTP APIs", "$ paydoor demo", "$ paydoor run --config Caddyfile", "paydoor [command]"} {
		if !strings.Contains(help, line) {
			t.Errorf("%q is not in the help:\n%s", line, help)
		}
	}
	if version := p.run("", "version"); !regexp.MustCompile(`^Paydoor \S+, Caddy v2\.\S+`).MatchString(version) {
		t.Errorf("the version is %q", version)
	}
}
