package payer

// This file pays servers that ask for money by STREAM and tell no price: they take it while they answer the request.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrNotOpened says that a server which tells no price did not take part in the STREAM connection either. Nothing was paid.
var ErrNotOpened = errors.New("the server tells no price, and does not say how much it takes")

const (
	openTime    = 10 * time.Second       // to get to know the receiver
	openRepeats = 5                      // of a request that comes before the server knows of its connection
	openPause   = 200 * time.Millisecond // between them
)

// readOpen reads a Pay header that names STREAM and no price.
func readOpen(response *http.Response) (ask Ask, ok bool) {
	for _, line := range response.Header.Values("Pay") {
		if ask, err := ParsePay(line); err == nil && !ask.Priced && ask.Method == MethodStream {
			return ask, true
		}
	}
	return Ask{}, false
}

// payOpen sends the request again beside a payment that lasts until it is answered.
func (p *paidRequest) payOpen(ask Ask) (*http.Response, error) {
	ctx := p.request.Context()
	others, err := p.enter() // first, as all do: else two requests could wait for each other
	if err != nil {
		return nil, err
	}
	defer others()
	leave, err := p.host.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := p.ready(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnpaid, err)
	}
	s := &spending{paidRequest: p, progress: Progress{Host: p.name, Method: ask.Method}}
	if err := s.approve(p.Allowance); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnpaid, err)
	}
	answered, opened, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	paying, abandon := context.WithCancel(ctx)
	defer abandon()
	go func() {
		sender := Stream{Link: p.Link, Random: p.Random, Now: p.Now}
		result, err := sender.Pay(paying, Payment{
			Address: ask.Address, Secret: ask.Secret, Send: p.Allowance, Progress: s.moved, open: &opening{until: answered, opened: opened},
		})
		s.moved(result)
		ended <- err
	}()
	response, err := p.repeatOpen(ctx, opened, ended)
	close(answered)
	if err != nil {
		abandon()
	}
	failed := <-ended
	s.end(failed)
	if errors.Is(err, ErrUnpaid) && failed != nil {
		err = fmt.Errorf("%w: %w", err, failed)
	}
	return response, err
}

// repeatOpen sends the request again once the receiver is there. The server may need a moment more to know of it.
func (p *paidRequest) repeatOpen(ctx context.Context, opened <-chan struct{}, ended chan error) (*http.Response, error) {
	patience := time.NewTimer(openTime)
	defer patience.Stop()
	select {
	case <-opened:
	case err := <-ended:
		ended <- err
		return nil, ErrUnpaid
	case <-patience.C:
		return nil, fmt.Errorf("%w: %w", ErrUnpaid, ErrNotOpened)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for repeats := 1; ; repeats++ {
		response, err := p.sendAgain()
		if err != nil || response.StatusCode != http.StatusPaymentRequired || repeats == openRepeats {
			return response, err
		}
		discard(response)
		timer := time.NewTimer(openPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}
