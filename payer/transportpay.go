package payer

// This file pays for a request: once, also when nobody tells what became of a payment.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// doubtPause is how long to wait between two questions for the balance, while a payment may still arrive.
const doubtPause = time.Second

// longestDoubt is longer than any payment that was sent by now may take to arrive.
const longestDoubt = orphanTime + 2*doubtPause

// turnPatience is how long a request waits for its turn among programs before it says so.
const turnPatience = 2 * time.Second

// pay makes the balance at the host enough for a request that costs what q asks. Payments to one host go one after the other, so that each
// knows what the others did.
func (p *paidRequest) pay(q quote) error {
	ctx := p.request.Context()
	leave, err := p.host.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if p.host.changed(p.visit) || p.doubtful() > 0 || p.memory() != nil && (p.waited || q.balance > 0) {
		enough, fresh, err := p.ask(ctx, q)
		if enough || err != nil {
			return err
		}
		q = fresh
	}
	spendable := p.host.spendable(q.balance)
	if spendable >= q.ask.Price {
		p.host.paid(q.ask.Price)
		return nil
	}
	begun, err := p.transfer(ctx, q.ask, q.ask.Price-spendable)
	if err == nil {
		p.host.paid(q.ask.Price)
		return nil
	}
	if !begun {
		return err
	}
	// It may have arrived, or may still, also what a node on the way has called rejected: the balance tells. Only if it does not is the request
	// unpaid.
	enough, _, asked := p.ask(ctx, q)
	if enough {
		return nil
	}
	return errors.Join(err, asked)
}

// enter waits for the turn among the programs that share a Memory. It lasts until the paid request is answered.
func (p *paidRequest) enter() (leave func(), err error) {
	m := p.memory()
	if m == nil {
		return func() {}, nil
	}
	if p.Waits != nil {
		told := make(chan struct{})
		tell := time.AfterFunc(turnPatience, func() {
			p.Waits(p.name, 0)
			close(told)
		})
		defer func() {
			if !tell.Stop() {
				<-told
			}
		}()
	}
	leave, p.waited, err = m.Enter(p.request.Context(), p.name)
	return leave, err
}

// ask asks for price and balance anew, and again while a payment of unknown outcome may still arrive and there is too little. enough says that
// the balance covers the request, which then counts as paid.
func (p *paidRequest) ask(ctx context.Context, q quote) (enough bool, fresh quote, err error) {
	begun := p.Now()
	for waits := false; ; waits = true {
		fresh, priced, err := p.query()
		switch {
		case err != nil:
			return false, q, err
		case !priced && p.doubtful() > 0:
			return false, q, fmt.Errorf("%w: %s does not tell the balance; try again in a minute", ErrUnknown, p.name)
		case !priced:
			return false, q, nil // what the refusal said holds
		}
		fresh.ask.Price = q.ask.Price // a query cannot name the method, whose price may be lower
		if p.host.spendable(fresh.balance) >= q.ask.Price {
			p.host.paid(q.ask.Price)
			return true, fresh, nil
		}
		left := p.doubtful()
		if left <= 0 || p.Now().Sub(begun) > longestDoubt { // a clock that was wrong may have said anything
			return false, fresh, nil
		}
		if !waits && p.Waits != nil {
			p.Waits(p.name, min(left, longestDoubt))
		}
		timer := time.NewTimer(min(left, doubtPause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false, q, ctx.Err()
		case <-timer.C:
		}
	}
}

// doubtful returns how long a payment of unknown outcome may still arrive, one of this program or of another with the same Memory.
func (p *paidRequest) doubtful() time.Duration {
	left := p.host.doubtful(p.Now())
	if m := p.memory(); m != nil {
		left = max(left, m.Doubtful(p.name).Sub(p.Now()))
	}
	return left
}

func (p *paidRequest) doubt(until time.Time) {
	p.host.doubt(until)
	if m := p.memory(); m != nil {
		m.Doubt(p.name, until)
	}
}

// transfer delivers due within the budget. begun says that the budget has approved it.
func (p *paidRequest) transfer(ctx context.Context, ask Ask, due amount.Amount) (begun bool, err error) {
	if err := p.ready(ctx); err != nil {
		return false, err
	}
	s := spending{paidRequest: p, progress: Progress{Host: p.name, Method: ask.Method, Due: due}}
	var doubtful time.Time // until then a packet of which nobody told may still be paid; zero: there is none
	defer func() {
		// First, for the next program must not find the payment over and nothing in doubt, should this one be killed in between.
		if err != nil && !doubtful.IsZero() {
			p.doubt(doubtful.Add(doubtPause)) // clocks differ
		}
		s.end(err)
		begun = s.progress.Cost > 0
	}()
	if ask.Method == MethodStream {
		sender := Stream{Link: p.Link, Random: p.Random, Now: p.Now}
		result, err := sender.Pay(ctx, Payment{Address: ask.Address, Secret: ask.Secret, Deliver: due, Approve: s.approve, Progress: s.moved})
		s.moved(result)
		doubtful = result.Doubtful
		return true, err
	}
	sender := PSK2{Link: p.Link, Random: p.Random, Now: p.Now, Approve: s.approve}
	receipt, err := sender.Pay(ctx, ask, due, p.tokenBytes())
	s.moved(Result{Sent: receipt.Sent, Delivered: receipt.Delivered, Unknown: receipt.Unknown})
	if receipt.Unknown > 0 {
		doubtful = p.Now().Add(packetLifetime)
	}
	return true, err
}

// ready lets the link connect.
func (p *paidRequest) ready(ctx context.Context) error {
	if link, ok := p.Link.(readier); ok {
		return link.Ready(ctx)
	}
	return nil
}
