//go:build linux

package main

// This file is Paydoor's sender as a process, like npm's in interop/peers/bench-sender.js: everything as it comes, with nothing set.

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/payer"
)

// asSender is the first argument of this command as a sender; the second is an uplink.
const asSender = "as-sender"

// ownPayer is the command of this process as a sender.
func ownPayer() ([]string, error) {
	self, err := os.Executable()
	return []string{self, asSender}, err
}

// isSender says whether this process is a sender that startPayer has started.
func isSender() bool { return len(os.Args) == 3 && os.Args[1] == asSender }

// beSender is the whole of such a process, and returns its exit code.
func beSender(ctx context.Context) int {
	if err := sendOrders(ctx, os.Args[2], os.Stdin, os.NewFile(3, "answers")); err != nil {
		fmt.Fprintln(os.Stderr, "sender:", err)
		return 1
	}
	return 0
}

// sendOrders makes the payments of in until it ends.
func sendOrders(ctx context.Context, options string, in io.Reader, out io.Writer) (err error) {
	var u uplink
	if err := json.Unmarshal([]byte(options), &u); err != nil {
		return err
	}
	if u.Profile != "" {
		file, err := os.Create(u.Profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	link, end, err := u.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	sender := payer.Stream{Link: link, Random: rand.Reader, Now: time.Now}
	answers := json.NewEncoder(out)
	if err := answers.Encode(outcome{Ready: true}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return err
		}
		if err := answers.Encode(o.make(ctx, sender)); err != nil {
			return err
		}
	}
	return nil
}

// make makes the payment. Its time is that of everything, setting up and closing the connection too.
func (o order) make(ctx context.Context, sender payer.Stream) outcome {
	secret, err := base64.RawURLEncoding.DecodeString(o.Secret)
	if err != nil {
		return outcome{Error: err.Error()}
	}
	begin := time.Now()
	result, err := sender.Pay(ctx, payer.Payment{Address: ilpcore.Address(o.Destination), Secret: secret, Send: o.Send})
	done := outcome{
		Packets: result.Fulfilled, Sent: result.Sent, Delivered: result.Delivered,
		Milliseconds: float64(time.Since(begin)) / float64(time.Millisecond),
	}
	if err != nil {
		done.Error = err.Error()
	}
	return done
}

// open connects.
func (u uplink) open(ctx context.Context) (link ilpcore.Handler, end func() error, err error) {
	if u.HTTP != "" {
		c, err := ilphttp.NewClient(ilphttp.ClientConfig{Endpoint: u.HTTP, Token: u.Token})
		if err != nil {
			return nil, nil, err
		}
		return c, c.Close, nil
	}
	address, err := btp.ParseURL(u.BTP)
	if err != nil {
		return nil, nil, err
	}
	up := make(chan bool, 2)
	l, err := btp.Dial(btp.Config{Account: "uplink", URL: address, State: func(state bool) {
		select {
		case up <- state:
		default: // only the first matters
		}
	}})
	if err != nil {
		return nil, nil, err
	}
	select {
	case <-up:
		return l, l.Close, nil
	case <-time.After(time.Minute):
		return nil, nil, errors.Join(fmt.Errorf("the link does not come up: %w", l.Err()), l.Close())
	case <-ctx.Done():
		return nil, nil, errors.Join(ctx.Err(), l.Close())
	}
}
