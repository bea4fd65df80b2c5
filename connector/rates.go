package connector

// This file turns amounts of one asset into amounts of another: exactly, rounded down once, at the end.

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/bits"
	"sync"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

var (
	// ErrNoRate says that there is no rate between two assets.
	ErrNoRate = errors.New("no exchange rate")
	// ErrSpread says that a spread would leave nothing.
	ErrSpread = errors.New("a spread is below 1")

	errTooLarge = errors.New("the converted amount does not fit 64 bits")
)

// Rates are the exchange rates of a node by asset code, and what it keeps when it changes money. They can be replaced while packets flow.
//
// An amount of asset A becomes floor(amount × rate(A) / rate(B) × 10^(scale of B − scale of A) × (1 − spread)) of asset B: a rate says what
// one whole unit is worth, in anything that is the same for all. Between accounts of the same code only the scale counts: no
// rate is needed and no spread is taken. What is rounded off is never the sender's gain.
type Rates struct {
	keep *big.Rat // 1 − spread

	mu        sync.RWMutex
	rates     map[string]Rate
	fractions map[assetPair]*fraction // made when first needed
}

type assetPair struct{ from, to ilpcore.Asset }

// fraction is what an amount is multiplied with. Where both numbers fit a word, num and den are they, and exact is left alone.
type fraction struct {
	num, den uint64
	exact    *big.Rat
}

// NewRates returns Rates without any rate. spread is the part that the node keeps, such as 0.02; the zero Rate is none. The error is ErrSpread.
func NewRates(spread Rate) (*Rates, error) {
	keep := new(big.Rat).Sub(big.NewRat(1, 1), spread.fraction())
	if keep.Sign() <= 0 {
		return nil, fmt.Errorf("%w, not %s", ErrSpread, spread)
	}
	return &Rates{keep: keep, fractions: map[assetPair]*fraction{}}, nil
}

// Replace makes these the only rates, for packets from the next one on. The error is ErrRate, for a code without a rate or an empty code; then nothing changes.
func (r *Rates) Replace(rates map[string]Rate) error {
	for code, rate := range rates {
		if rate == (Rate{}) || !(ilpcore.Asset{Code: code}).Valid() {
			return fmt.Errorf("the rate of %q is %w", clip(code), ErrRate)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rates, r.fractions = maps.Clone(rates), map[assetPair]*fraction{}
	return nil
}

// All returns a copy of the rates by asset code.
func (r *Rates) All() map[string]Rate {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.rates == nil {
		return map[string]Rate{}
	}
	return maps.Clone(r.rates)
}

// Ratio returns how many base units of to one of from becomes, exactly, with the spread taken off. The error is ErrNoRate.
func (r *Rates) Ratio(from, to ilpcore.Asset) (*big.Rat, error) {
	if from == to {
		return big.NewRat(1, 1), nil
	}
	f, err := r.between(assetPair{from, to})
	if err != nil {
		return nil, err
	}
	return new(big.Rat).Set(f.exact), nil
}

// convert returns what a, counted in from, is in to: ErrNoRate, or errTooLarge with the largest amount of from that would do.
func (r *Rates) convert(a amount.Amount, from, to ilpcore.Asset) (out, largest amount.Amount, err error) {
	if from == to {
		return a, 0, nil
	}
	f, err := r.between(assetPair{from, to})
	if err != nil {
		return 0, 0, err
	}
	if out, ok := f.times(a); ok {
		return out, 0, nil
	}
	return 0, f.largest(), errTooLarge
}

// between returns the fraction for a pair, from memory or new.
func (r *Rates) between(pair assetPair) (*fraction, error) {
	r.mu.RLock()
	f, ok := r.fractions[pair]
	r.mu.RUnlock()
	if ok {
		return f, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	exact := pow10(int(pair.to.Scale) - int(pair.from.Scale))
	if pair.from.Code != pair.to.Code {
		worth, ok := r.rates[pair.from.Code]
		price, ok2 := r.rates[pair.to.Code]
		if !ok || !ok2 {
			return nil, fmt.Errorf("%w from %s to %s", ErrNoRate, pair.from, pair.to)
		}
		exact.Mul(exact, worth.fraction())
		exact.Quo(exact, price.fraction())
		exact.Mul(exact, r.keep)
	}
	f = &fraction{exact: exact}
	if exact.Num().IsUint64() && exact.Denom().IsUint64() {
		f.num, f.den = exact.Num().Uint64(), exact.Denom().Uint64()
	}
	if len(r.fractions) >= maxPairs {
		clear(r.fractions)
	}
	r.fractions[pair] = f
	return f, nil
}

// maxPairs bounds the fractions kept. There are as many pairs as the accounts' assets make, which are few.
const maxPairs = 4096

// times returns floor(a × f); ok is false when that does not fit.
func (f *fraction) times(a amount.Amount) (out amount.Amount, ok bool) {
	if f.den != 0 {
		hi, lo := bits.Mul64(uint64(a), f.num)
		if hi >= f.den {
			return 0, false
		}
		quotient, _ := bits.Div64(hi, lo, f.den)
		return amount.Amount(quotient), true
	}
	n := new(big.Int).SetUint64(uint64(a))
	n.Mul(n, f.exact.Num()).Quo(n, f.exact.Denom())
	return amount.Amount(n.Uint64()), n.IsUint64()
}

// largest returns the largest a for which floor(a × f) fits.
func (f *fraction) largest() amount.Amount {
	n := new(big.Int).SetUint64(math.MaxUint64)
	n.Add(n, big.NewInt(1)).Mul(n, f.exact.Denom()).Sub(n, big.NewInt(1)).Quo(n, f.exact.Num())
	return amount.Amount(n.Uint64())
}

// pow10 returns 10^n.
func pow10(n int) *big.Rat {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil)
	if n < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), power)
	}
	return new(big.Rat).SetInt(power)
}
