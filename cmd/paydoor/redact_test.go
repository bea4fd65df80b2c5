package main

// This file wants of the real binary that no log tells a token or a secret, whatever logs a Caddyfile asks for and however the
// Caddyfile gets into the server.

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/paydoor/paydoor/caddymodule"
)

// shapes are logs as people write them. Each is tried with debug and without.
var shapes = []struct {
	name                  string
	global, servers, site string
}{
	{"none", "", "", ""},
	{"site", "", "", "log"},
	{"site json file", "", "", "log {\n output file site.log\n format json\n}"},
	{"site console file", "", "log_credentials", "log {\n output file site.log\n format console\n}"},
	{"site filter", "", "log_credentials", "log {\n output file site.log\n format filter {\n wrap console\n fields {\n request>headers>User-Agent delete\n request>uri query {\n delete q\n }\n }\n }\n}"},
	{"site deletes request", "", "", "log {\n output file site.log\n format filter {\n request>headers delete\n resp_headers delete\n }\n}"},
	{"site append", "", "trace", "log {\n output file site.log\n format append {\n server one\n }\n}"},
	{"site journald", "", "", "log {\n output stdout\n format journald {\n wrap console\n }\n}"},
	{"site redact", "", "", "log {\n format redact {\n wrap console\n }\n}"},
	{"default console", "log {\n output stdout\n format console\n}", "", "log"},
	{"default in a file", "log {\n output file default.log\n format json {\n time_format iso8601\n }\n}", "log_credentials", "log"},
	{"named", "log access {\n output file access.log\n include http.log.access\n}\nlog rest {\n output file rest.log\n format console\n exclude http.log.access\n}", "", "log"},
	{"several", "log {\n output stdout\n}\nlog errors {\n output file errors.log\n include http.log.error http.handlers\n format append {\n wrap console\n a b\n }\n}", "trace", "log one {\n output file one.log\n}\nlog two {\n output file two.log\n format console\n}\nlog_name one two"},
	{"skipped", "", "", "log\nlog_skip /worth"},
	{"sampled", "log {\n sampling {\n first 1000\n }\n}", "", "log {\n output stderr\n}"},
}

func TestNoLogTells(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a server for each shape of logs")
	}
	for _, shape := range shapes {
		for _, level := range []string{"", "debug\n"} {
			t.Run(strings.TrimSpace(shape.name+" "+level), func(t *testing.T) {
				s := newShop(t)
				s.global, s.servers, s.site = level+shape.global, shape.servers, shape.site
				p := newProcess(t, s.env()...)
				p.write("Caddyfile", s.caddyfile())
				p.start("http://"+s.free, "run", "--config", "Caddyfile")
				s.visit()
				s.wantPlaceholders()
				p.stop()
				s.wantNothingIn(p.written())
			})
		}
	}
}

// TestEveryWayIn brings a Caddyfile into a server in each way that Caddy has.
func TestEveryWayIn(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a server for each way")
	}
	ways := map[string]func(s *shop, p *process){
		"adjacent": func(s *shop, p *process) { p.start("http://"+s.free, "run") },
		"watched":  func(s *shop, p *process) { p.start("http://"+s.free, "run", "--watch") },
		"stdin": func(s *shop, p *process) {
			adapted, _, _ := strings.Cut(p.run(s.caddyfile(), "adapt", "--config", "-"), "\n") // a warning of the formatting follows
			p.write("adapted.json", adapted)
			p.start("http://"+s.free, "run", "--config", "adapted.json")
		},
		"reload": func(s *shop, p *process) {
			p.write("empty.json", `{"admin": {"listen": "`+s.admin+`"}}`)
			p.start("http://"+s.admin+"/config/", "run", "--config", "empty.json")
			p.run("", "reload", "--config", "Caddyfile")
		},
		"load": func(s *shop, p *process) {
			p.write("empty.json", `{"admin": {"listen": "`+s.admin+`"}}`)
			p.start("http://"+s.admin+"/config/", "run", "--config", "empty.json")
			r, err := http.NewRequest(http.MethodPost, "http://"+s.admin+"/load", strings.NewReader(s.caddyfile()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "text/caddyfile")
			s.send(r, http.StatusOK)
		},
		"resumed": func(s *shop, p *process) {
			p.start("http://"+s.free, "run")
			p.stop()
			p.start("http://"+s.free, "run", "--resume")
		},
	}
	for name, bring := range ways {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.site = "log"
			p := newProcess(t, s.env()...)
			p.write("Caddyfile", s.caddyfile())
			bring(s, p)
			p.await("http://" + s.free)
			s.visit()
			s.wantPlaceholders()
			p.stop()
			s.wantNothingIn(p.written())
		})
	}
}

func TestAdapterIsOurs(t *testing.T) {
	if caddyconfig.GetAdapter("caddyfile") != caddymodule.RedactingCaddyfile() {
		t.Error("Caddyfiles are adapted by somebody else")
	}
	p := newProcess(t)
	p.write("Caddyfile", ":80 {\n\tlog {\n\t\tformat console\n\t}\n}\n")
	for _, arguments := range [][]string{{"adapt"}, {"adapt", "--config", "Caddyfile", "--adapter", "caddyfile", "--validate"}} {
		if out := p.run("", arguments...); strings.Count(out, `{"format":"redact"`) != 2 || !strings.Contains(out, `{"format":"redact","wrap":{"format":"console"}}`) {
			t.Errorf("%v gives %s", arguments, out)
		}
	}
}

// wantPlaceholders wants that the config is shown with the names of the secrets and without their values.
func (s *shop) wantPlaceholders() {
	s.t.Helper()
	answer, err := s.client.Get("http://" + s.admin + "/config/")
	if err != nil {
		s.t.Fatal(err)
	}
	config, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || !json.Valid(config) {
		s.t.Fatalf("%v: %s", err, config)
	}
	if !strings.Contains(string(config), "{env.CANARY_RECEIVER}") || !strings.Contains(string(config), "{env.CANARY_LINK}") {
		s.t.Errorf("the config is shown as %s", config)
	}
	s.wantNothingIn(map[string]string{"/config/": string(config) + digest(canaryToken)})
}

// wantNothingIn wants no secret in any of the texts, and the token's digest in one: the logs have told what they may.
func (s *shop) wantNothingIn(texts map[string]string) {
	s.t.Helper()
	told := false
	for name, text := range texts {
		for _, secret := range s.secrets {
			if at := strings.Index(text, secret); at >= 0 {
				s.t.Errorf("%s has %s: …%.300q…", name, secret, text[max(0, at-200):])
			}
		}
		told = told || strings.Contains(text, digest(canaryToken))
	}
	if !told {
		s.t.Errorf("nothing was logged about the token: %v", texts["stderr"])
	}
}

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:4])
}
