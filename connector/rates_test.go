package connector

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

func mustRate(t testing.TB, s string) Rate {
	t.Helper()
	r, err := ParseRate(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// newRates takes pairs of code and rate.
func newRates(t testing.TB, spread string, pairs ...string) *Rates {
	t.Helper()
	var keep Rate
	if spread != "" {
		keep = mustRate(t, spread)
	}
	r, err := NewRates(keep)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Rate{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = mustRate(t, pairs[i+1])
	}
	if err := r.Replace(all); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRate(t *testing.T) {
	for in, want := range map[string]string{
		"1": "1", "1.0": "1", "2.517": "2.517", "0.000000001": "0.000000001", "007.50": "7.5", "1e3": "1000", "1.5e-9": "0.0000000015",
		"12345678901234567890.12345678901234567890": "12345678901234567890.1234567890123456789", "25E-1": "2.5", "0.5e1": "5", "1.25e+1": "12.5",
	} {
		got, err := ParseRate(in)
		if err != nil || got.String() != want {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
		if again, err := ParseRate(got.String()); err != nil || again != got {
			t.Errorf("%s is read back as %s, %v", got, again, err)
		}
	}
	for _, in := range []string{
		"", "0", "0.0", "0e5", "-1", "+1", ".5", "1.", "NaN", "Inf", "1e308", "1e-308", "1e", "e5", "1_0", " 1", "1 ", "0x1", "1.2.3", "1e1.5", "1e99999999999999999999", "١",
	} {
		if got, err := ParseRate(in); !errors.Is(err, ErrRate) || got != (Rate{}) {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
}

func TestRateAsJSON(t *testing.T) {
	data, err := json.Marshal(map[string]Rate{"ABC": mustRate(t, "0.1")})
	var back map[string]Rate
	if err != nil || string(data) != `{"ABC":"0.1"}` || json.Unmarshal(data, &back) != nil || back["ABC"] != mustRate(t, "0.1") {
		t.Errorf("%s, %v, %v", data, err, back)
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"1", "0.1", "1e-9", "1.5E+3", "00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok || exact.Sign() <= 0 || exact.Cmp(r.fraction()) != 0 {
			t.Errorf("%q became %s", s, r)
		}
		if again, err := ParseRate(r.String()); err != nil || again != r {
			t.Errorf("%s is read back as %s, %v", r, again, err)
		}
	})
}

func TestConvert(t *testing.T) {
	xyz9, abc6, abc9 := ilpcore.Asset{Code: "XYZ", Scale: 9}, ilpcore.Asset{Code: "ABC", Scale: 6}, ilpcore.Asset{Code: "ABC", Scale: 9}
	r := newRates(t, "0.02", "XYZ", "2", "ABC", "1", "TINY", "0.0000000000000000000000000000000000000001", "THIRD", "3")
	for name, test := range map[string]struct {
		in       amount.Amount
		from, to ilpcore.Asset
		want     amount.Amount
		largest  amount.Amount
		err      error
	}{
		"three nodes, there":    {1_000_000, xyz9, abc6, 1960, 0, nil},
		"three nodes, back":     {1000, abc6, xyz9, 490_000, 0, nil},
		"rounded down":          {1019, abc9, ilpcore.Asset{Code: "THIRD", Scale: 9}, 332, 0, nil}, // 332.8…
		"the same":              {7, xyz9, xyz9, 7, 0, nil},
		"another scale":         {1_999_999, abc9, abc6, 1999, 0, nil}, // no spread
		"less than one":         {999, abc9, abc6, 0, 0, nil},
		"nothing":               {0, xyz9, abc6, 0, 0, nil},
		"no rate":               {1, xyz9, usd9, 0, 0, ErrNoRate},
		"no rate, other way":    {1, usd9, xyz9, 0, 0, ErrNoRate},
		"the largest that fits": {math.MaxUint64 / 1000, abc6, abc9, math.MaxUint64 / 1000 * 1000, 0, nil},
		"too large":             {math.MaxUint64/1000 + 1, abc6, abc9, 0, math.MaxUint64 / 1000, errTooLarge},
		"beyond words":          {1, abc9, ilpcore.Asset{Code: "TINY", Scale: 9}, 0, 0, errTooLarge},
		"far apart scales":      {1, ilpcore.Asset{Code: "ABC", Scale: 255}, ilpcore.Asset{Code: "ABC"}, 0, 0, nil},
	} {
		got, largest, err := r.convert(test.in, test.from, test.to)
		if got != test.want && err == nil || largest != test.largest || !errors.Is(err, test.err) {
			t.Errorf("%s: %v %v %v", name, got, largest, err)
		}
	}
}

// TestConvertAgainstBig: whatever the numbers, the result is the exact one rounded down, and the largest amount the largest.
func TestConvertAgainstBig(t *testing.T) {
	number := rapid.StringMatching(`[1-9][0-9]{0,20}(\.[0-9]{0,20}[1-9])?`)
	rapid.Check(t, func(rt *rapid.T) {
		from := ilpcore.Asset{Code: "A", Scale: rapid.Uint8Max(20).Draw(rt, "from")}
		to := ilpcore.Asset{Code: "B", Scale: rapid.Uint8Max(20).Draw(rt, "to")}
		a, b := number.Draw(rt, "a"), number.Draw(rt, "b")
		r := newRates(t, "0.001", "A", a, "B", b)
		in := amount.Amount(rapid.Uint64().Draw(rt, "in"))
		exact := func(in amount.Amount) *big.Int {
			x := new(big.Rat).SetInt(new(big.Int).SetUint64(uint64(in)))
			x.Mul(x, mustRate(t, a).fraction())
			x.Quo(x, mustRate(t, b).fraction())
			x.Mul(x, big.NewRat(999, 1000))
			ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(to.Scale)), nil)
			x.Mul(x, new(big.Rat).SetInt(ten))
			ten = new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(from.Scale)), nil)
			x.Quo(x, new(big.Rat).SetInt(ten))
			return new(big.Int).Quo(x.Num(), x.Denom())
		}
		got, largest, err := r.convert(in, from, to)
		want := exact(in)
		switch {
		case want.IsUint64() && (err != nil || uint64(got) != want.Uint64()):
			rt.Fatalf("%v, %v; want %v", got, err, want)
		case !want.IsUint64() && (err != errTooLarge || !exact(largest).IsUint64() || exact(largest+1).IsUint64()):
			rt.Fatalf("%v, largest %v, %v; want too large", got, largest, err)
		}
	})
}

func TestRatesAreReplaced(t *testing.T) {
	r := newRates(t, "", "USD", "1", "EUR", "2")
	if got, _, err := r.convert(10, eur2, usd9); err != nil || got != 200_000_000 {
		t.Errorf("%v, %v", got, err)
	}
	if err := r.Replace(map[string]Rate{"USD": mustRate(t, "1"), "EUR": mustRate(t, "4")}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := r.convert(10, eur2, usd9); err != nil || got != 400_000_000 {
		t.Errorf("afterwards: %v, %v", got, err)
	}
	if err := r.Replace(map[string]Rate{"USD": {}}); !errors.Is(err, ErrRate) || len(r.All()) != 2 {
		t.Errorf("a zero rate: %v, %v", err, r.All())
	}
	if err := r.Replace(map[string]Rate{"": mustRate(t, "1")}); !errors.Is(err, ErrRate) {
		t.Errorf("no code: %v", err)
	}
	for _, spread := range []string{"1", "2.5"} {
		if _, err := NewRates(mustRate(t, spread)); !errors.Is(err, ErrSpread) {
			t.Errorf("spread %s: %v", spread, err)
		}
	}
}
