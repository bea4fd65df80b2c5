//go:build linux

package main

// This file is one sender of STREAM payments: a process of its own that gets its payments as lines of JSON, and answers with lines.

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// order is a payment.
type order struct {
	Destination string        `json:"destination"`
	Secret      string        `json:"secret"` // base64url
	Send        amount.Amount `json:"send,string"`
}

// outcome is what a sender says of a payment; the first line, that it is ready.
type outcome struct {
	Ready        bool          `json:"ready,omitempty"`
	Packets      int           `json:"packets"` // fulfilled, with money
	Sent         amount.Amount `json:"sent,string"`
	Delivered    amount.Amount `json:"delivered,string"`
	Milliseconds float64       `json:"milliseconds"`
	Error        string        `json:"error,omitempty"`
}

// uplink is how a sender reaches the receiver's node: by BTP, or by HTTP with a token.
type uplink struct {
	Library string `json:"library,omitempty"` // of npm
	BTP     string `json:"btp,omitempty"`
	HTTP    string `json:"http,omitempty"`
	Token   string `json:"token,omitempty"`
	Profile string `json:"profile,omitempty"` // where Paydoor's sender writes a CPU profile
}

// payerProcess is a running sender.
type payerProcess struct {
	*gateway
	orders  io.WriteCloser
	answers *bufio.Scanner
	reading *os.File
	rate    float64 // packets per second of the last payment
}

// startPayer starts process, with u as its last argument, and returns when its link is up.
func startPayer(ctx context.Context, dir, name string, u uplink, command ...string) (*payerProcess, error) {
	options, err := json.Marshal(u)
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp(dir, "sender-")
	if err != nil {
		return nil, err
	}
	process := exec.Command(command[0], append(command[1:], string(options))...)
	process.Env = append(os.Environ(), "NODE_ENV=production", "DEBUG=")
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	process.ExtraFiles = []*os.File{write} // file descriptor 3
	p := &payerProcess{reading: read, answers: bufio.NewScanner(read)}
	if p.orders, err = process.StdinPipe(); err == nil {
		p.gateway, err = start(name, home, netip.AddrPort{}, process)
	}
	// Only the process may hold this end, so that its end is noticed here.
	if err = errors.Join(err, write.Close()); err != nil {
		return nil, errors.Join(err, read.Close())
	}
	said, err := p.answer(ctx)
	if err == nil && !said.Ready {
		err = errors.New("it is not ready")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sender %q: %w\n%s", name, err, p.lastWords()), p.close())
	}
	return p, nil
}

// answer reads a line. The process ends when it is stopped, so a line or the end of them comes.
func (p *payerProcess) answer(ctx context.Context) (o outcome, err error) {
	stop := context.AfterFunc(ctx, func() { _ = p.reading.SetReadDeadline(time.Now()) })
	defer stop()
	if err := p.reading.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return o, err
	}
	if !p.answers.Scan() {
		return o, errors.Join(ctx.Err(), p.answers.Err(), io.ErrUnexpectedEOF)
	}
	return o, json.Unmarshal(p.answers.Bytes(), &o)
}

// pay has a payment made.
func (p *payerProcess) pay(ctx context.Context, o order) (done outcome, err error) {
	line, err := json.Marshal(o)
	if err == nil {
		_, err = p.orders.Write(append(line, '\n'))
	}
	if err == nil {
		done, err = p.answer(ctx)
	}
	if err == nil && done.Error != "" {
		err = errors.New(done.Error)
	}
	if err != nil {
		return done, fmt.Errorf("sender %q: %w\n%s", p.name, err, p.lastWords())
	}
	if done.Packets > 0 && done.Milliseconds > 0 {
		p.rate = 1000 * float64(done.Packets) / done.Milliseconds
	}
	return done, nil
}

// close lets the process end.
func (p *payerProcess) close() error {
	err := p.orders.Close()
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		err = errors.Join(err, p.stop())
	}
	return errors.Join(err, p.reading.Close())
}

// npmSenders are the libraries that the sender is compared with.
var npmSenders = []string{"ilp-protocol-stream", "@interledger/pay"}

// npmPayer is the command of npm's senders, as interop/peers/bench-sender.js says.
func npmPayer(root string) []string {
	return []string{"node", filepath.Join(root, "interop", "peers", "bench-sender.js")}
}
