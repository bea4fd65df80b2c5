package cli

// This file is the transport that requests go out by, below the one that pays.

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"
)

// base makes it: without compression, as curl's, and with the authorities of --cacert.
func (f *fetcher) base() (http.RoundTripper, error) {
	if f.e.Transport != nil {
		return f.e.Transport, nil
	}
	own := http.DefaultTransport.(*http.Transport).Clone()
	own.DisableCompression = true
	own.IdleConnTimeout = time.Second
	file := option(f.cmd, "cacert")
	if file == "" {
		return own, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--cacert: %w", err)
	}
	believed := x509.NewCertPool()
	if !believed.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("--cacert: there is no certificate in %s, which has to be in PEM form: BEGIN CERTIFICATE", clean(file))
	}
	if own.TLSClientConfig == nil {
		own.TLSClientConfig = &tls.Config{}
	}
	own.TLSClientConfig.RootCAs = believed
	return own, nil
}
