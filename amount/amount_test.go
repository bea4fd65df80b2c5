package amount_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"pgregory.net/rapid"
)

// word draws 64-bit numbers with as many near the edges as in between.
var word = rapid.OneOf(
	rapid.Uint64(), rapid.Uint64Max(20), rapid.Uint64Min(1<<64-20), rapid.Uint64Range(1<<32-5, 1<<32+5),
	rapid.SampledFrom([]uint64{10_000_000_000_000_000_000, 9_999_999_999_999_999_999, 1_000_000_000_000_000_000, 1 << 63}),
)

func drawAmount(t *rapid.T, name string) amount.Amount { return amount.Amount(word.Draw(t, name)) }

func bigOf(a amount.Amount) *big.Int { return new(big.Int).SetUint64(uint64(a)) }

// checkResult compares a checked result with the exact one: it is ok exactly when the exact result is an Amount.
func checkResult(t *rapid.T, what string, got amount.Amount, ok bool, exact *big.Int) {
	t.Helper()
	if fits := exact.IsUint64(); ok != fits || (ok && bigOf(got).Cmp(exact) != 0) || (!ok && got != 0) {
		t.Fatalf("%s is %v, got %v %v", what, exact, got, ok)
	}
}

func TestArithmeticAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawAmount(t, "a"), drawAmount(t, "b")
		sum := new(big.Int).Add(bigOf(a), bigOf(b))
		got, ok := a.Add(b)
		checkResult(t, fmt.Sprint(a, "+", b), got, ok, sum)
		if !ok {
			got = amount.Max
		}
		if a.Saturate(b) != got {
			t.Fatalf("%v.Saturate(%v) is %v", a, b, a.Saturate(b))
		}
		got, ok = a.Sub(b)
		checkResult(t, fmt.Sprint(a, "-", b), got, ok, new(big.Int).Sub(bigOf(a), bigOf(b)))
		got, ok = a.Mul(uint64(b))
		checkResult(t, fmt.Sprint(a, "*", b), got, ok, new(big.Int).Mul(bigOf(a), bigOf(b)))
	})
}

func TestParse(t *testing.T) {
	for in, want := range map[string]amount.Amount{"0": 0, "7": 7, "100": 100, "18446744073709551615": amount.Max} {
		if got, err := amount.Parse(in); err != nil || got != want || got.String() != in || string(got.Append(nil)) != in {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "1e3", "0x1", "1_000", "1,000", "١", "\n"} {
		if got, err := amount.Parse(in); err != amount.ErrSyntax || got != 0 {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"18446744073709551616", "99999999999999999999999"} {
		if got, err := amount.Parse(in); err != amount.ErrRange || got != 0 {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "18446744073709551615", "18446744073709551616", "01", "1.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := amount.Parse(s)
		sum, wide := amount.ParseSum(s)
		if err == nil && (a.String() != s || wide != nil || sum != a.Sum()) {
			t.Fatalf("%q is %v, %v", s, a, sum)
		}
		if (err == amount.ErrSyntax) != (wide == amount.ErrSyntax) {
			t.Fatalf("%q: %v, as a sum %v", s, err, wide)
		}
		if wide == nil && sum.String() != s {
			t.Fatalf("%q came back as %v", s, sum)
		}
	})
}

func Example() {
	price, err := amount.ParseDecimal("1.5", 9) // dollars, at a scale of 9
	fmt.Println(price, err)

	balance, ok := amount.Amount(2_000_000_000).Sub(price)
	fmt.Println(balance, ok, balance.Decimal(9))

	_, ok = balance.Sub(price)
	fmt.Println(ok)

	// An account that counts cents cannot hold everything; the caller keeps the rest.
	cents, rest, _ := amount.Amount(1_234_567_890).Rescale(9, 2)
	fmt.Println(cents, rest)
	// Output:
	// 1500000000 <nil>
	// 500000000 true 0.5
	// false
	// 123 4567890
}
