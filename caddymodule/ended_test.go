package caddymodule

// This file ends connections of HTTP/3 under requests: by a reload whose grace_period is over, and by their client.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"github.com/paydoor/paydoor/paywall"
)

// TestReloadChargesNobodyOverHTTP3: a request whose connection a reload has closed before the backend answered costs nothing; one that its client gives up does.
func TestReloadChargesNobodyOverHTTP3(t *testing.T) {
	for name, balance := range map[string]string{"a reload": "100", "the client": "90"} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			reached, left := make(chan struct{}), make(chan struct{})
			s.handler = func(_ http.ResponseWriter, r *http.Request) {
				close(reached)
				<-r.Context().Done()
				close(left)
			}
			url, trust := s.overHTTP3()
			s.load()
			s.pay("100")
			transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}
			defer func() { _ = transport.Close() }()
			ctx, leave := context.WithTimeout(t.Context(), 30*time.Second)
			defer leave()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Pay-Token", token)
			before := ended()
			answered := make(chan error, 1)
			go func() {
				response, err := transport.RoundTrip(request)
				if err == nil {
					err = fmt.Errorf("it is answered %s", response.Status)
					_ = response.Body.Close()
				}
				answered <- err
			}()
			<-reached
			if name == "a reload" {
				s.site += "\nheader X-New 1"
				s.load()
			} else {
				leave()
			}
			if err := <-answered; err == nil || strings.Contains(err.Error(), "answered") {
				t.Errorf("the request ends with %v", err)
			}
			<-left
			for ended() == before { // it ends a moment after the backend is told
				time.Sleep(10 * time.Millisecond)
			}
			s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, balance)
		})
	}
}

// ended is how many requests of this process that had reserved something have come to their end.
func ended() (n uint64) {
	for i, outcome := range outcomes {
		if outcome == paywall.Settled || outcome == paywall.Released || outcome == paywall.Unsettled {
			n += counts.outcomes[i].Load()
		}
	}
	return n
}

// overHTTP3 adds the same paid site with TLS, and hence with HTTP/3, before the server is loaded.
func (s *server) overHTTP3() (url string, trust *x509.CertPool) {
	s.t.Helper()
	port := freePort(s.t)
	certificate, key, trust := certified(s.t)
	s.site += fmt.Sprintf("\n}\nhttps://%s {\n\tbind 127.0.0.1\n\ttls %s %s\n\t%s", port, certificate, key, s.site)
	return "https://" + port, trust
}

// certified writes the certificate of httptest, which is good for 127.0.0.1.
func certified(t *testing.T) (certificate, key string, trust *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	own := s.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"certificate": {Type: "CERTIFICATE", Bytes: own.Certificate[0]}, "key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust = x509.NewCertPool()
	trust.AddCert(s.Certificate())
	return filepath.Join(dir, "certificate"), filepath.Join(dir, "key"), trust
}
