package caddymodule

// This file types paydoor node where nothing answers.

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestNodeCommandsEndAsOursDo(t *testing.T) {
	gone := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(gone.Close)
	t.Setenv("PAYDOOR_ADMIN_TOKEN", "an-admin-token")
	tests := []struct{ args, node, said, ends string }{
		{"accounts list", "http://127.0.0.1:1", "paydoor: no node answers at http://127.0.0.1:1: ", "exiting with status 2"},
		{"accounts delete bob", gone.URL, "whether it was carried out is unknown\n", "exiting with status 3"},
		{"accounts create bob", gone.URL, "paydoor: write what the account counts", "write what the account counts"},
	}
	for _, test := range tests {
		cmd := &cobra.Command{Use: "node", SilenceUsage: true}
		addNodeCommands(cmd)
		var stdout, stderr bytes.Buffer
		cmd.SetOut(&stdout)
		cmd.SetErr(&stderr)
		cmd.SetArgs(append(strings.Fields(test.args), "--node", test.node))
		err := cmd.Execute()
		if err == nil || !strings.Contains(err.Error(), test.ends) || !strings.Contains(stderr.String(), test.said) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: said %q, ended with %v; want %q and %q", test.args, stderr.String(), err, test.said, test.ends)
		}
	}
}
