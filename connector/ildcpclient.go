package connector

// This file is the asking side of ILDCP (RFC 31): when an Uplink asks its parent, and what it makes of the answer.

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	askEvery   = 10 * time.Minute // D11
	askTimeout = 20 * time.Second // the expiry of one request
)

// askAgain are the waits after the first, second, … request in a row that failed; the last one repeats.
var askAgain = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}

func (u *Uplink) withDefaults() {
	if u.now == nil {
		u.now = time.Now
	}
	if u.random == nil {
		u.random = rand.Reader
	}
	if u.logger == nil {
		u.logger = zap.NewNop()
	}
}

// ask runs until ctx ends: a request now, at each connect, and when the time since the last one is over.
func (u *Uplink) ask(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.connected:
			failures = 0
		case <-timer.C:
		}
		wait := askEvery
		if err := u.askOnce(ctx); err != nil {
			u.failed(ctx, err)
			wait = askAgain[min(failures, len(askAgain)-1)]
			failures++
		} else {
			failures = 0
		}
		timer.Reset(jitter(u.random, wait))
	}
}

// askOnce sends one request and takes in the answer.
func (u *Uplink) askOnce(ctx context.Context) error {
	request := ilpcore.ILDCPRequest(u.now().Add(askTimeout))
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	reply := u.link.HandlePrepare(ctx, ilpcore.Incoming{From: u.account, Prepare: request})
	if !reply.Fulfilled {
		return fmt.Errorf("it rejected the request with %s %q", reply.Code, reply.Message)
	}
	if reply.Fulfillment != ilpcore.PeerFulfillment {
		return errors.New("its answer has a fulfillment that is not all zeros")
	}
	answer, err := ilpcore.DecodeILDCP(reply.Data)
	if err != nil {
		return err
	}
	if s := answer.Address.Scheme(); s == "peer" || s == "self" {
		return fmt.Errorf("it gave an address below %q, which is nobody's", s)
	}
	u.failure.Store(nil)
	u.take(answer)
	return nil
}

// take makes the answer the current state, and tells whoever wants to know when it differs from the one before.
func (u *Uplink) take(answer ilpcore.ILDCP) {
	before := u.state.Load()
	after := before.next(answer, u.expect, u.now())
	u.state.Store(after)
	account := zap.String("account", string(u.account))
	switch {
	case after.mismatch != nil:
		if before.mismatch == nil {
			u.logger.Error("the account is down", account, zap.Error(after.mismatch))
		}
		return
	case before.mismatch == nil && before.address == after.address && before.asset == after.asset:
		return
	}
	u.logger.Info("the parent gave this node its address", account,
		zap.String("address", string(after.address)), zap.Stringer("asset", after.asset))
	if f := u.changed.Load(); f != nil && *f != nil {
		(*f)(after.address, after.asset)
	}
}

// failed notes why there is no answer. It logs only while the link is up and the reason is new: the link itself says when it is down.
func (u *Uplink) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	why := err.Error()
	before := u.failure.Swap(&why)
	if u.link.Up() && (before == nil || *before != why) {
		u.logger.Warn("the parent gave no address; asking again",
			zap.String("account", string(u.account)), zap.String("reason", why))
	}
}

// jitter returns a duration of at most d and at least nine tenths of it, so that many nodes do not ask in step.
func jitter(random io.Reader, d time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return d // jitter is a courtesy, not worth failing for
	}
	return d - time.Duration(binary.BigEndian.Uint64(b[:])%uint64(d/10+1))
}
