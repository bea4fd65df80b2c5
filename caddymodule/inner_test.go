package caddymodule

// This file puts a paywall into another, whose price then does not count, and wants the owner to hear of it.

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPaywallWithinAnother(t *testing.T) {
	s := newServer(t)
	log := filepath.Join(t.TempDir(), "log")
	s.global = fmt.Sprintf("log paywalls {\n\toutput file %s\n\tinclude http.handlers.paywall\n}", log)
	s.site = "paywall 10\nhandle /premium {\n\tpaywall 70\n\t" + strings.TrimPrefix(s.site, "paywall 10\n") + "\n}\nhandle_errors {\n\tpaywall 5\n\trespond sorry\n}\nerror /wrong 500"
	s.load()
	s.pay("100")
	s.want(s.do(http.MethodGet, "/wrong"), http.StatusInternalServerError, "100") // the one in handle_errors is there for a purpose
	if said, err := os.ReadFile(log); err != nil || len(said) > 0 {
		t.Errorf("the log has %s, %v", said, err)
	}
	s.want(s.do(http.MethodGet, "/premium"), http.StatusOK, "90")
	s.want(s.do(http.MethodGet, "/premium"), http.StatusOK, "80")
	said, err := os.ReadFile(log)
	if err != nil || strings.Count(string(said), "a request came to two paywalls") != 1 || !strings.Contains(string(said), `"amount":"70"`) {
		t.Errorf("the log has %s, %v", said, err)
	}
}
