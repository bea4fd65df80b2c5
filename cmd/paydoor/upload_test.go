package main

// This file wants of the real binary that it answers an unpaid upload without its body, and lets go of who keeps on standing there.

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestUnpaidUploadIsNotWaitedFor reads the whole answer at once. net/http then waits for what was announced and is short, to use the
// connection again, although it will not; read_body_idle ends that, and the example sets it.
func TestUnpaidUploadIsNotWaitedFor(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a server")
	}
	admin, site := freeAddress(t), freeAddress(t)
	p := newProcess(t)
	p.write("Caddyfile", strings.Replace(validated(admin, site, ""), "{", "{\n\tservers {\n\t\ttimeouts {\n\t\t\tread_body_idle 2s\n\t\t}\n\t}", 1))
	p.start("http://"+site, "run", "--config", "Caddyfile")
	post := "POST /upload HTTP/1.1\r\nHost: " + site + "\r\n"
	for name, request := range map[string]string{
		"Expect":          post + "Expect: 100-continue\r\nContent-Length: 600000\r\n\r\n",
		"Expect, chunked": post + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
		"length":          post + "Content-Length: 600000\r\n\r\n",
		"short":           post + "Expect: 100-continue\r\nContent-Length: 6\r\n\r\n",
		"a part":          post + "Content-Length: 600000\r\n\r\nand so it begins",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", site)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			began, reader := time.Now(), bufio.NewReader(conn)
			answer, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusPaymentRequired || !answer.Close || !strings.Contains(string(body), "This request costs 10") {
				t.Fatalf("the answer is %s %q, and then %v", answer.Status, body, err)
			}
			if took := time.Since(began); took > 1500*time.Millisecond {
				t.Errorf("the answer took %v", took)
			}
			if rest, err := io.ReadAll(reader); len(rest) > 0 || err != nil {
				t.Errorf("after the answer comes %q, %v", rest, err)
			}
			// The end of the answer may be half a close. A server that is gone does not take the body any more.
			for end := time.Now().Add(10 * time.Second); err == nil; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("the server goes on to read what it does not want")
				}
				_, err = conn.Write(make([]byte, 1000))
			}
		})
	}
}

// TestExampleIsPatientWithinBounds wants bounds for slow clients, and connections to a busy backend, in what people copy.
func TestExampleIsPatientWithinBounds(t *testing.T) {
	text, err := os.ReadFile("../../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	p := newProcess(t)
	p.write("Caddyfile", string(text))
	adapted, err := p.prepare("adapt", "--config", "Caddyfile").Output()
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Apps struct {
			HTTP struct {
				GracePeriod int64 `json:"grace_period"`
				Servers     map[string]struct {
					ReadHeader   int64 `json:"read_header_timeout"`
					ReadBodyIdle int64 `json:"read_idle_timeout"`
				}
			}
		}
	}
	if err := json.Unmarshal(adapted, &config); err != nil {
		t.Fatal(err)
	}
	if config.Apps.HTTP.GracePeriod == 0 || len(config.Apps.HTTP.Servers) < 3 {
		t.Errorf("%+v", config)
	}
	for name, server := range config.Apps.HTTP.Servers {
		if server.ReadHeader == 0 || server.ReadBodyIdle == 0 {
			t.Errorf("%s waits for ever: %+v", name, server)
		}
	}
	if !strings.Contains(string(adapted), `"max_idle_conns_per_host":1024`) {
		t.Error("the example keeps few connections to the backend")
	}
}
