package amount_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"pgregory.net/rapid"
)

func TestRescale(t *testing.T) {
	tests := []struct {
		a               amount.Amount
		from, to        uint8
		want, remainder amount.Amount
		ok              bool
	}{
		{5, 2, 2, 5, 0, true},
		{5, 2, 9, 50_000_000, 0, true},
		{1_234_567_890, 9, 2, 123, 4_567_890, true},
		{9_999_999, 9, 2, 0, 9_999_999, true},
		{1, 0, 19, 10_000_000_000_000_000_000, 0, true},
		{2, 0, 19, 0, 0, false},
		{1, 0, 20, 0, 0, false},
		{0, 0, 255, 0, 0, true},
		{amount.Max, 19, 0, 1, 8_446_744_073_709_551_615, true},
		{amount.Max, 20, 0, 0, amount.Max, true},
		{amount.Max, 255, 0, 0, amount.Max, true},
		{amount.Max, 255, 255, amount.Max, 0, true},
	}
	for _, test := range tests {
		got, remainder, ok := test.a.Rescale(test.from, test.to)
		if got != test.want || remainder != test.remainder || ok != test.ok {
			t.Errorf("%d from %d to %d: %d, %d, %v", test.a, test.from, test.to, got, remainder, ok)
		}
	}
}

// Nothing is lost: quotient and remainder together are worth what went in.
func TestRescaleAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAmount(t, "a")
		scale := rapid.OneOf(rapid.Uint8Max(25), rapid.Uint8())
		from, to := scale.Draw(t, "from"), scale.Draw(t, "to")
		got, remainder, ok := a.Rescale(from, to)
		if from <= to {
			exact := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(to-from)), nil)
			checkResult(t, fmt.Sprint(a, " from ", from, " to ", to), got, ok, exact.Mul(exact, bigOf(a)))
			if remainder != 0 {
				t.Fatalf("remainder %d", remainder)
			}
			return
		}
		divisor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(from-to)), nil)
		total := new(big.Int).Mul(bigOf(got), divisor)
		total.Add(total, bigOf(remainder))
		if !ok || total.Cmp(bigOf(a)) != 0 || bigOf(remainder).Cmp(divisor) >= 0 {
			t.Fatalf("%d from %d to %d: %d, %d, %v", a, from, to, got, remainder, ok)
		}
	})
}

func TestMulDivAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, numerator, denominator := drawAmount(t, "a"), word.Draw(t, "numerator"), word.Draw(t, "denominator")
		got, remainder, ok := a.MulDiv(numerator, denominator)
		if denominator == 0 {
			if ok || got != 0 || remainder != 0 {
				t.Fatalf("division by zero gives %d, %d, %v", got, remainder, ok)
			}
			return
		}
		product := new(big.Int).Mul(bigOf(a), new(big.Int).SetUint64(numerator))
		quotient, rest := new(big.Int).QuoRem(product, new(big.Int).SetUint64(denominator), new(big.Int))
		checkResult(t, fmt.Sprint(a, "*", numerator, "/", denominator), got, ok, quotient)
		if ok && rest.Cmp(new(big.Int).SetUint64(remainder)) != 0 {
			t.Fatalf("%d*%d/%d leaves %d", a, numerator, denominator, remainder)
		}
	})
}

func FuzzRescale(f *testing.F) {
	f.Add(uint64(1_234_567_890), uint8(9), uint8(2))
	f.Add(uint64(1<<64-1), uint8(0), uint8(19))
	f.Fuzz(func(t *testing.T, n uint64, from, to uint8) {
		a := amount.Amount(n)
		converted, remainder, ok := a.Rescale(from, to)
		if !ok {
			return
		}
		back, none, ok := converted.Rescale(to, from)
		if sum, fits := back.Add(remainder); !ok || none != 0 || !fits || sum != a {
			t.Fatalf("%d from %d to %d is %d and %d; back it is %d", a, from, to, converted, remainder, back)
		}
	})
}
