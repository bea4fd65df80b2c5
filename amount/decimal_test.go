package amount_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	tests := []struct {
		in    string
		scale uint8
		want  amount.Amount
		err   error
	}{
		{"1.5", 9, 1_500_000_000, nil},
		{"0", 0, 0, nil},
		{"0", 255, 0, nil},
		{"0.0", 0, 0, nil},
		{"7", 0, 7, nil},
		{"7.000", 0, 7, nil},
		{"0.000000001", 9, 1, nil},
		{"0.10", 1, 1, nil},
		{"18446744073709551615", 0, amount.Max, nil},
		{"18446744073.709551615", 9, amount.Max, nil},
		{"0." + strings.Repeat("0", 254) + "1", 255, 1, nil},
		{"0." + strings.Repeat("0", 235) + "18446744073709551615", 255, amount.Max, nil},

		{"18446744073709551616", 0, 0, amount.ErrRange},
		{"18446744073.709551616", 9, 0, amount.ErrRange},
		{"18446744074", 9, 0, amount.ErrRange},
		{"1", 20, 0, amount.ErrRange},
		{"1", 255, 0, amount.ErrRange},
		{"1.5", 0, 0, amount.ErrPrecision},
		{"0.0000000001", 9, 0, amount.ErrPrecision},
	}
	for _, test := range tests {
		if got, err := amount.ParseDecimal(test.in, test.scale); got != test.want || err != test.err {
			t.Errorf("%s at scale %d: %v, %v", test.in, test.scale, got, err)
		}
	}
	for _, in := range []string{"", ".", "1.", ".5", "+1", "-1", "-0", "01", "00.5", "1..5", "1.5.", "1.5.0", "1,5", "1e3", "1.5e3", " 1", "1 ", "1_0", "0x1", "NaN", "inf", "1.+5"} {
		if got, err := amount.ParseDecimal(in, 9); err != amount.ErrSyntax || got != 0 {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

func TestDecimal(t *testing.T) {
	tests := []struct {
		a     amount.Amount
		scale uint8
		want  string
	}{
		{0, 0, "0"},
		{0, 9, "0"},
		{15, 0, "15"},
		{150, 0, "150"},
		{1_500_000_000, 9, "1.5"},
		{2_000_000_000, 9, "2"},
		{1, 9, "0.000000001"},
		{10, 1, "1"},
		{100, 1, "10"},
		{105, 1, "10.5"},
		{123, 3, "0.123"},
		{amount.Max, 0, "18446744073709551615"},
		{amount.Max, 20, "0.18446744073709551615"},
		{amount.Max, 21, "0.018446744073709551615"},
		{1, 255, "0." + strings.Repeat("0", 254) + "1"},
	}
	for _, test := range tests {
		if got := test.a.Decimal(test.scale); got != test.want {
			t.Errorf("%d at scale %d is printed as %s", test.a, test.scale, got)
		}
		if got := string(test.a.AppendDecimal([]byte("x"), test.scale)); got != "x"+test.want {
			t.Errorf("%d at scale %d is appended as %s", test.a, test.scale, got)
		}
	}
}

func TestDecimalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, scale := drawAmount(t, "a"), rapid.Uint8().Draw(t, "scale")
		printed := a.Decimal(scale)
		if back, err := amount.ParseDecimal(printed, scale); err != nil || back != a {
			t.Fatalf("%d at scale %d, printed as %s, came back as %d, %v", a, scale, printed, back, err)
		}
		exact, ok := new(big.Rat).SetString(printed)
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		if !ok || exact.Cmp(new(big.Rat).SetFrac(bigOf(a), power)) != 0 {
			t.Fatalf("%d at scale %d is printed as %s", a, scale, printed)
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	f.Add("1.5", uint8(9))
	f.Add("18446744073.709551615", uint8(9))
	f.Add("0.10", uint8(1))
	f.Add("00.1", uint8(1))
	f.Fuzz(func(t *testing.T, s string, scale uint8) {
		a, err := amount.ParseDecimal(s, scale)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		if !ok || exact.Cmp(new(big.Rat).SetFrac(bigOf(a), power)) != 0 {
			t.Fatalf("%q at scale %d became %d", s, scale, a)
		}
		if strings.ContainsAny(s, "+-eE_xX/ ") {
			t.Fatalf("%q is taken", s)
		}
		if len(s) < len(a.Decimal(scale)) {
			t.Fatalf("%q is shorter than %s", s, a.Decimal(scale))
		}
	})
}
