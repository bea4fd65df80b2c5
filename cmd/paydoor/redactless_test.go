package main

// This file runs the real binary with a config that does not keep tokens out of the logs, and wants to be told.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWarnsOfLogsThatMayShowTokens(t *testing.T) {
	admin, site := freeAddress(t), freeAddress(t)
	p := newProcess(t)
	p.write("Caddyfile", validated(admin, site, ""))
	var config map[string]json.RawMessage
	adapted, err := p.prepare("adapt", "--config", "Caddyfile").Output()
	if err == nil {
		err = json.Unmarshal(adapted, &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	delete(config, "logging")
	bare, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p.write("bare.json", string(bare))
	for name, warned := range map[string]bool{"Caddyfile": false, "bare.json": true} {
		p.start("http://"+site, "run", "--config", name)
		p.stop()
		printed, err := os.ReadFile(filepath.Join(p.dir, "stderr"))
		if err != nil || strings.Contains(string(printed), "no log of this config has the encoder redact") != warned {
			t.Errorf("%s: %v, warned: %v is wanted: %s", name, err, warned, printed)
		}
	}
	p.start("http://"+site, "run", "--config", "Caddyfile")
	p.run("", "reload", "--config", "bare.json", "--address", admin)
	p.stop()
	if printed, err := os.ReadFile(filepath.Join(p.dir, "stderr")); err != nil || strings.Count(string(printed), "no log of this config") != 1 {
		t.Errorf("%v, after a reload: %s", err, printed)
	}
}
