//go:build linux

package main

// This file is the gateway's child: it sends packets by ILP over HTTP (RFC 35).

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"

	"github.com/paydoor/paydoor/ilpcore"
)

type child struct {
	url    string
	secret string
	client *http.Client
}

func newChild(node netip.AddrPort, secret string) *child {
	return &child{url: "http://" + node.String() + "/ilp", secret: secret, client: newHTTPClient()}
}

// newHTTPClient returns a client with connections of its own.
func newHTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
}

// send posts a Prepare and waits for the answer. Its errors wrap errNotSent or errLost.
func (c *child) send(ctx context.Context, packet []byte) (ilpcore.Reply, error) {
	// Without GetBody the transport never sends it twice by itself.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, io.NopCloser(bytes.NewReader(packet)))
	if err != nil {
		return ilpcore.Reply{}, err
	}
	request.ContentLength = int64(len(packet))
	request.Header.Set("Authorization", "Bearer "+c.secret)
	request.Header.Set("Content-Type", "application/octet-stream")
	answer, err := c.client.Do(request)
	if err != nil {
		return ilpcore.Reply{}, fmt.Errorf("%w: %w", sentOrNot(err), err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return ilpcore.Reply{}, fmt.Errorf("%w: %w", errLost, err)
	}
	if answer.StatusCode != http.StatusOK {
		return ilpcore.Reply{}, fmt.Errorf("%w: status %d", errNotSent, answer.StatusCode) // no packet was handled
	}
	reply, err := ilpcore.DecodeReply(body)
	if err != nil {
		return ilpcore.Reply{}, fmt.Errorf("%w: %w", errLost, err)
	}
	return reply, nil
}

// sentOrNot is errNotSent when there was no connection, else errLost.
func sentOrNot(err error) error {
	var failed *net.OpError
	if errors.As(err, &failed) && failed.Op == "dial" {
		return errNotSent
	}
	return errLost
}
