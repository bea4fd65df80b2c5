package interop

// This file runs one gateway: the real binary as its own process, with a Caddyfile, that tests can kill and start again.

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paydoor/paydoor/internal/testport"
)

// gatewayConfig is what differs between the gateways of the tests; the rest of the Caddyfile is always the same.
type gatewayConfig struct {
	address  string   // the node's own ILP address; empty: learned from the parent account
	accounts []string // `account` blocks of the ilp app
	options  []string // other lines of the ilp app
	handler  string   // what ilp_node has between its braces
	sites    []string // what each site has between its braces; site i listens on url(i)
	nodePort int      // where ilp_node listens; 0: any free port
	code     string   // of the node's asset; "": USD
	scale    int      // of the node's asset; 0: 9
	secure   bool     // the sites also listen with TLS, and for HTTP/3
	more     string   // whole sites of other hosts
}

// gateway is a directory, a Caddyfile, and the process that is running on them, if any.
type gateway struct {
	t           *testing.T
	dir         string
	admin       int
	node        int
	adminToken  string
	sitePorts   []int
	securePorts []int // of the same sites, or none
	process     *exec.Cmd
	exited      chan struct{}
	logFile     *os.File
}

// newGateway writes the Caddyfile and starts the binary on it; it is ready when it is returned, and stopped with the test.
func newGateway(t *testing.T, config gatewayConfig) *gateway {
	t.Helper()
	dir, err := os.MkdirTemp(work, "gateway-")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, dir: dir, admin: freePort(t), node: config.nodePort, adminToken: newSecret()}
	if g.node == 0 {
		g.node = freePort(t)
	}
	for range config.sites {
		g.sitePorts = append(g.sitePorts, freePort(t))
		if config.secure {
			g.securePorts = append(g.securePorts, freePort(t))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "Caddyfile"), []byte(g.caddyfile(config)), 0o600); err != nil {
		t.Fatal(err)
	}
	if g.logFile, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.finish)
	g.start()
	return g
}

func (g *gateway) caddyfile(config gatewayConfig) string {
	var b strings.Builder
	https, protocols := "off", "h1 h2c"
	if config.secure {
		// A client of HTTP/3 whose goodbye is lost holds an end without a grace_period up for as long as QUIC waits for it.
		https, protocols = "disable_redirects\n\tgrace_period 5s", "h1 h2 h2c h3"
	}
	fmt.Fprintf(&b, "{\n\tadmin 127.0.0.1:%d\n\tauto_https %s\n\tskip_install_trust\n\tpersist_config off\n\tservers {\n\t\tprotocols %s\n\t}\n", g.admin, https, protocols)
	fmt.Fprintf(&b, "\tilp {\n\t\tdata_dir %s\n\t\tasset %s %d\n", g.dataDir(), cmp.Or(config.code, "USD"), cmp.Or(config.scale, 9))
	if config.address != "" {
		fmt.Fprintf(&b, "\t\taddress %s\n", config.address)
	}
	fmt.Fprintf(&b, "\t\tadmin_token %s\n", g.adminToken)
	for _, line := range append(config.options, config.accounts...) {
		fmt.Fprintf(&b, "%s\n", line)
	}
	fmt.Fprintf(&b, "\t}\n}\n\nhttp://:%d {\n\tbind 127.0.0.1\n\tilp_node {\n%s\n\t}\n}\n", g.node, config.handler)
	for i, site := range config.sites {
		fmt.Fprintf(&b, "\nhttp://:%d {\n\tbind 127.0.0.1\n%s\n}\n", g.sitePorts[i], site)
		if config.secure {
			fmt.Fprintf(&b, "\nhttps://127.0.0.1:%d {\n\tbind 127.0.0.1\n\ttls internal\n%s\n}\n", g.securePorts[i], site)
		}
	}
	b.WriteString(config.more)
	return b.String()
}

// start runs the binary and waits until it quotes a price.
func (g *gateway) start() {
	g.t.Helper()
	path, err := binary()
	if err != nil {
		g.t.Fatal(err)
	}
	g.process = exec.Command(path, "run", "--config", "Caddyfile")
	g.process.Dir = g.dir
	g.process.Env = append(os.Environ(), "HOME="+g.dir, "XDG_DATA_HOME="+g.dir+"/xdg", "XDG_CONFIG_HOME="+g.dir+"/xdg")
	g.process.Stdout, g.process.Stderr = g.logFile, g.logFile
	if err := g.process.Start(); err != nil {
		g.t.Fatal(err)
	}
	g.exited = make(chan struct{})
	go func(process *exec.Cmd, exited chan<- struct{}) {
		process.Wait() // its status is not asked for: it ends by a signal of ours, or waitReady sees that it ended
		close(exited)
	}(g.process, g.exited)
	g.waitReady()
}

// waitReady polls until the first site answers a price query; a site without an address answers 503.
func (g *gateway) waitReady() {
	g.t.Helper()
	token := newToken()
	for deadline := time.Now().Add(60 * time.Second); ; {
		select {
		case <-g.exited:
			g.t.Fatal("the gateway ended while starting")
		default:
		}
		status := 0
		if q, err := tryQuote(http.DefaultClient, g.url(0), token); err == nil {
			if status = q.status; status == http.StatusNoContent && g.certified() {
				return
			}
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("the gateway was not ready in time; its last answer to OPTIONS had status %d", status)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// kill ends the process as a crash does: no warning, no clean-up.
func (g *gateway) kill() { g.end(syscall.SIGKILL) }

// stop asks the process to end and waits for it.
func (g *gateway) stop() { g.end(syscall.SIGTERM) }

func (g *gateway) end(signal syscall.Signal) {
	g.t.Helper()
	g.process.Process.Signal(signal) // fails only when it has ended already
	select {
	case <-g.exited:
	case <-time.After(30 * time.Second):
		g.process.Process.Kill()
		<-g.exited
		g.t.Errorf("the gateway did not end within 30 s of %v", signal)
	}
}

// finish ends the gateway, shows the end of its log when the test has failed, and looks for data races and tokens in it.
func (g *gateway) finish() {
	if g.exited != nil {
		g.stop()
	}
	g.logFile.Close()
	text, err := os.ReadFile(g.logFile.Name())
	if err != nil {
		g.t.Error(err)
	}
	if i := bytes.Index(text, []byte("WARNING: DATA RACE")); i >= 0 {
		g.t.Errorf("the race detector reports:\n%s", text[i:min(len(text), i+6000)])
	}
	if token := leaked(text); token != "" {
		at := bytes.Index(text, []byte(token))
		g.t.Errorf("the log contains a Pay-Token: …%s…", text[max(0, at-300):min(len(text), at+100)])
	}
	if g.t.Failed() {
		g.t.Logf("the end of the gateway's log:\n%s", text[max(0, len(text)-6000):])
	}
	os.RemoveAll(g.dir)
}

// url is the root of site i.
func (g *gateway) url(i int) string { return fmt.Sprintf("http://127.0.0.1:%d/", g.sitePorts[i]) }

// nodeURL is where ilp_node listens, without a slash at its end.
func (g *gateway) nodeURL() string { return fmt.Sprintf("http://127.0.0.1:%d", g.node) }

func (g *gateway) dataDir() string { return filepath.Join(g.dir, "data") }

func (g *gateway) pid() int { return g.process.Process.Pid }

// freePort returns a TCP port of loopback that nothing listens on just now, another one each time: two nodes could listen on the same.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := testport.Next()
	if err != nil {
		t.Fatal(err)
	}
	return int(port.Port())
}

// newSecret returns 32 random bytes in hex, which no config line has to quote.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
