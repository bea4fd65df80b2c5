package amount_test

import (
	"math/big"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"pgregory.net/rapid"
)

func drawSum(t *rapid.T, name string) amount.Sum {
	return amount.Sum{Hi: word.Draw(t, name+" high"), Lo: word.Draw(t, name+" low")}
}

func bigSum(s amount.Sum) *big.Int {
	b := new(big.Int).SetUint64(s.Hi)
	return b.Add(b.Lsh(b, 64), new(big.Int).SetUint64(s.Lo))
}

func checkSum(t *rapid.T, what string, got amount.Sum, ok bool, exact *big.Int) {
	t.Helper()
	if fits := exact.Sign() >= 0 && exact.BitLen() <= 128; ok != fits || (ok && bigSum(got).Cmp(exact) != 0) || (!ok && got != amount.Sum{}) {
		t.Fatalf("%s is %v, got %v %v", what, exact, got, ok)
	}
}

func TestSumAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, u := drawSum(t, "s"), drawSum(t, "u")
		got, ok := s.Add(u)
		checkSum(t, "the sum", got, ok, new(big.Int).Add(bigSum(s), bigSum(u)))
		got, ok = s.Sub(u)
		checkSum(t, "the difference", got, ok, new(big.Int).Sub(bigSum(s), bigSum(u)))
		if s.Cmp(u) != bigSum(s).Cmp(bigSum(u)) || s.Cmp(s) != 0 {
			t.Fatalf("%v compared with %v is %d", s, u, s.Cmp(u))
		}
		if s.String() != bigSum(s).String() {
			t.Fatalf("%v is printed as %s", bigSum(s), s)
		}
		if back, err := amount.ParseSum(s.String()); err != nil || back != s {
			t.Fatalf("%v came back as %v, %v", s, back, err)
		}
		a, ok := s.Amount()
		if ok != (s.Hi == 0) || (ok && a.Sum() != s) || (!ok && a != 0) {
			t.Fatalf("%v as an Amount is %v %v", s, a, ok)
		}
	})
}

func TestSumString(t *testing.T) {
	tests := map[string]amount.Sum{
		"0":                    {},
		"18446744073709551615": {Lo: 1<<64 - 1},
		"18446744073709551616": {Hi: 1},
		"20000000000000000000": {Hi: 1, Lo: 1553255926290448384},
		"100000000000000000000000000000000000000": {Hi: 5421010862427522170, Lo: 687399551400673280},
		"340282366920938463463374607431768211455": {Hi: 1<<64 - 1, Lo: 1<<64 - 1},
	}
	for want, s := range tests {
		if s.String() != want {
			t.Errorf("%s is printed as %s", want, s)
		}
		if got, err := amount.ParseSum(want); err != nil || got != s {
			t.Errorf("%s is read as %v, %v", want, got, err)
		}
	}
	for _, in := range []string{"340282366920938463463374607431768211456", "3402823669209384634633746074317682114550", "999999999999999999999999999999999999999"} {
		if got, err := amount.ParseSum(in); err != amount.ErrRange || got != (amount.Sum{}) {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "01", "-1", "1.5"} {
		if got, err := amount.ParseSum(in); err != amount.ErrSyntax || got != (amount.Sum{}) {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

// A total beyond 64 bits stays exact, whatever the order.
func TestSumOfAmounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var total amount.Sum
		exact := new(big.Int)
		for _, w := range rapid.SliceOfN(word, 0, 50).Draw(t, "amounts") {
			var ok bool
			if total, ok = total.Add(amount.Amount(w).Sum()); !ok {
				t.Fatal("a few amounts overflow")
			}
			exact.Add(exact, new(big.Int).SetUint64(w))
		}
		if total.String() != exact.String() {
			t.Fatalf("%v is not %v", total, exact)
		}
	})
}
