//go:build linux

package main

// This file measures requests: the sides take turns, and what a gateway uses in a round counts for its own requests of that round,
// also what it does while it is another's turn.

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// fetch is the job of a client of a site.
type fetch struct {
	template []byte
	at       int // where in template the token is
	tokens   []token
	random   *rand.Rand
	paid     bool // whether answers have to be those of a paywall
}

func newFetch(tokens []token, paid bool, seed int) *fetch {
	const head = "GET /bench HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\nPay-Token: "
	return &fetch{
		template: []byte(head + tokens[0].text + "\r\n\r\n"), at: len(head),
		tokens: tokens, random: rand.New(rand.NewPCG(1, uint64(seed))), paid: paid,
	}
}

func (f *fetch) request(b []byte) ([]byte, bool) {
	copy(f.template[f.at:], f.tokens[f.random.IntN(len(f.tokens))].text)
	return append(b, f.template...), true
}

var (
	payLine     = []byte("\r\nPay: interledger-")
	balanceLine = []byte("\r\nPay-Balance: ")
)

func (f *fetch) answer(status int, head, body []byte) error {
	if status != 200 || len(body) != 100 || f.paid != bytes.Contains(head, payLine) || f.paid != bytes.Contains(head, balanceLine) {
		return fmt.Errorf("a request was answered with %.400q", head)
	}
	return nil
}

// side is one of those that take turns.
type side struct {
	gateway *gateway
	load    func(ctx context.Context, d time.Duration) (slice, error) // puts it under load for so long
	requests
}

// requests is what was measured of one side, by round.
type requests struct {
	rates []float64 // requests per second
	cpu   []float64 // microseconds of the gateway for each request
	times []time.Duration
	count int // with those of the warm-up
}

// takeTurns gives each side its slice, once for warming up and then in each round, forwards and backwards by turns.
func takeTurns(ctx context.Context, sides []*side, rounds int, d time.Duration) error {
	for round := -1; round < rounds; round++ {
		before, err := clocks(sides)
		if err != nil {
			return err
		}
		slices := make([]slice, len(sides))
		for i := range sides {
			if round%2 != 0 {
				i = len(sides) - 1 - i
			}
			if slices[i], err = sides[i].load(ctx, d); err != nil {
				return fmt.Errorf("gateway %q: %w", sides[i].gateway.name, err)
			}
		}
		after, err := clocks(sides)
		if err != nil {
			return err
		}
		for i, s := range sides {
			s.count += slices[i].requests
			if round < 0 {
				continue
			}
			s.rates = append(s.rates, slices[i].rate())
			s.cpu = append(s.cpu, perRequest(after[i]-before[i], slices[i].requests))
			s.times = append(s.times, slices[i].times...)
		}
	}
	return nil
}

func clocks(sides []*side) (clocks []time.Duration, err error) {
	for _, s := range sides {
		t, err := s.gateway.cpu()
		if err != nil {
			return nil, err
		}
		clocks = append(clocks, t)
	}
	return clocks, nil
}

// perRequest is microseconds for each.
func perRequest(used time.Duration, n int) float64 {
	return float64(used) / float64(time.Microsecond) / float64(max(n, 1))
}

// pairwise combines what two sides measured in the same rounds.
func pairwise(a, b []float64, f func(a, b float64) float64) []float64 {
	both := make([]float64, len(a))
	for i := range a {
		both[i] = f(a[i], b[i])
	}
	return both
}

func ratio(a, b float64) float64      { return a / b }
func difference(a, b float64) float64 { return a - b }
