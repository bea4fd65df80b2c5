package interop

// This file is the versions of HTTP that clients speak to the sites of a gateway: the paywall has to be the same behind all of them.

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/quic-go/quic-go/http3"
)

// transport is one version of HTTP.
type transport struct {
	name string
	url  func(site int) string
	// open returns a client with connections of its own, which are closed with the test.
	open func(t *testing.T) *http.Client
}

// transports are 1.1 and 2 without TLS, and for a gateway that is secure 2 and 3 with it.
func (g *gateway) transports(t *testing.T) []transport {
	t.Helper()
	all := []transport{{"HTTP 1.1", g.url, clearText(func(p *http.Protocols) { p.SetHTTP1(true) })},
		{"HTTP 2 without TLS", g.url, clearText(func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) })}}
	if len(g.securePorts) == 0 {
		return all
	}
	trust := g.trust(t)
	return append(all,
		transport{"HTTP 2", g.secureURL, func(t *testing.T) *http.Client { return overTLS(t, trust) }},
		transport{"HTTP 3", g.secureURL, func(t *testing.T) *http.Client { return overQUIC(t, trust) }})
}

func clearText(protocol func(*http.Protocols)) func(*testing.T) *http.Client {
	return func(t *testing.T) *http.Client {
		one := &http.Transport{MaxIdleConnsPerHost: 256, DialContext: (&net.Dialer{}).DialContext, Protocols: new(http.Protocols)}
		protocol(one.Protocols)
		t.Cleanup(one.CloseIdleConnections)
		return &http.Client{Transport: one}
	}
}

func overTLS(t *testing.T, trust *tls.Config) *http.Client {
	two := &http.Transport{TLSClientConfig: trust.Clone(), Protocols: new(http.Protocols)}
	two.Protocols.SetHTTP2(true)
	t.Cleanup(two.CloseIdleConnections)
	return &http.Client{Transport: two}
}

func overQUIC(t *testing.T, trust *tls.Config) *http.Client {
	three := &http3.Transport{TLSClientConfig: trust.Clone()}
	t.Cleanup(func() { three.Close() })
	return &http.Client{Transport: three}
}

// certified says whether the sites that listen with TLS have their certificates, which are made after the start.
func (g *gateway) certified() bool {
	for _, port := range g.securePorts {
		conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{InsecureSkipVerify: true}) // who it is, is checked later
		if err != nil {
			return false
		}
		conn.Close()
	}
	return true
}

// trust is the gateway's own certificate authority, which signs for its sites.
func (g *gateway) trust(t *testing.T) *tls.Config {
	t.Helper()
	root, err := os.ReadFile(filepath.Join(g.dir, "xdg", "caddy", "pki", "authorities", "local", "root.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		t.Fatal("the gateway's root certificate cannot be read")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
}

// secureURL is the root of site i over TLS.
func (g *gateway) secureURL(i int) string {
	return fmt.Sprintf("https://127.0.0.1:%d/", g.securePorts[i])
}
