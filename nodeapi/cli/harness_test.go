package cli

// This file is a node that answers what a test says, and how a test types a command.

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// What the tests show, and nothing may print.
const (
	adminSecret   = "the-admin-token-of-thirty-two-bytes!"
	accountSecret = "alices-token-of-at-least-32-bytes-!!"
)

// asked is a request that the node got.
type asked struct {
	method, path, authorization, contentType, accept, key, body string
}

// said is an answer of the node.
type said struct {
	status      int
	contentType string // "": application/json
	body        string
}

// stub is a node with an answer for each "METHOD /path".
type stub struct {
	*httptest.Server
	mu   sync.Mutex
	says map[string]said
	got  []asked

	header map[string]string // of all answers
}

func newStub(t *testing.T, says map[string]said) *stub {
	t.Helper()
	s := &stub{says: says}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.got = append(s.got, asked{
		r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Accept"), r.Header.Get("Idempotency-Key"), string(body),
	})
	answer, ok := s.says[r.Method+" "+r.URL.RequestURI()]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	if answer.contentType == "" {
		answer.contentType = "application/json"
	}
	w.Header().Set("Content-Type", answer.contentType)
	for name, value := range s.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

// last is the newest request.
func (s *stub) last(t *testing.T) asked {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.got) == 0 {
		t.Fatal("the node was not asked")
	}
	return s.got[len(s.got)-1]
}

// outcome is what a command did.
type outcome struct {
	out, err string
	status   int
}

// terminal is where commands are typed.
type terminal struct {
	variables map[string]string
	dataDir   string
	stdin     string
}

// newTerminal knows the node and both tokens.
func newTerminal(s *stub) terminal {
	return terminal{variables: map[string]string{nodeVariable: s.URL, adminVariable: adminSecret, accountVariable: accountSecret}}
}

// without is the same terminal less one variable.
func (m terminal) without(name string) terminal {
	left := make(map[string]string)
	for n, v := range m.variables {
		if n != name {
			left[n] = v
		}
	}
	m.variables = left
	return m
}

// types runs a command as `paydoor node` does, and checks that it shows no secret.
func (m terminal) types(t *testing.T, args ...string) outcome {
	t.Helper()
	node := &cobra.Command{Use: "node", SilenceUsage: true, SilenceErrors: true}
	AddCommands(node, Environment{Getenv: func(name string) string { return m.variables[name] }, DataDir: m.dataDir, Now: time.Now})
	var out, errs bytes.Buffer
	node.SetIn(strings.NewReader(m.stdin))
	node.SetOut(&out)
	node.SetErr(&errs)
	node.SetArgs(args)
	err := node.ExecuteContext(t.Context())
	if err != nil {
		errs.WriteString(err.Error())
	}
	for _, secret := range []string{adminSecret, accountSecret} {
		if strings.Contains(out.String()+errs.String(), secret) {
			t.Errorf("%v prints a secret:\n%s%s", args, out.String(), errs.String())
		}
	}
	return outcome{out.String(), strings.TrimSpace(errs.String()), ExitStatus(err)}
}

// problemSaid is a refusal in the form of all dialects.
func problemSaid(status int, body string) said { return said{status, problemType, body} }
