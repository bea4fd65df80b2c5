package caddymodule

// This file follows one charge by its id.

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOneChargeIDEverywhere wants the same id in the backend's header, the placeholder, the access log and our own log line.
func TestOneChargeIDEverywhere(t *testing.T) {
	s := newServer(t)
	logs := filepath.Join(t.TempDir(), "log")
	s.global = "log all {\noutput file " + logs + "\nlevel DEBUG\n}"
	s.site = "log\nlog_append own {http.paywall.charge_id}\n" + s.site
	s.handler = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Backend", r.Header.Get("Paydoor-Charge-Id"))
	}
	s.load()
	s.pay("100")
	first, second := s.do(http.MethodGet, "/"), s.do(http.MethodGet, "/")
	id := first.Header.Get("X-Backend")
	if len(id) != 22 || id == second.Header.Get("X-Backend") {
		t.Fatalf("the backend saw the charge ids %q and %q", id, second.Header.Get("X-Backend"))
	}
	var lines []map[string]any
	eventually(t, "both lines of the log", func() bool { lines = linesWith(t, logs, id); return len(lines) >= 3 })
	var said []string
	for _, line := range lines {
		said = append(said, line["msg"].(string))
		switch line["msg"] {
		case "handled request":
			if line["paywall_charge_id"] != id || line["own"] != id || line["paywall_charged"] != float64(10) {
				t.Errorf("the access log says %v", line)
			}
		case "deciding about a request":
			if line["charge_id"] != id {
				t.Errorf("our log line says %v", line)
			}
		}
	}
	if got := strings.Join(said, ", "); !strings.Contains(got, "handled request") || !strings.Contains(got, "deciding about a request") {
		t.Errorf("the id is in the lines %s", got)
	}
}

// linesWith returns the lines of a JSON log that contain text.
func linesWith(t *testing.T, path, text string) (lines []map[string]any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		return nil
	}
	for line := range strings.Lines(string(b)) {
		var fields map[string]any
		if strings.Contains(line, text) && json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] != nil {
			lines = append(lines, fields)
		}
	}
	return lines
}
