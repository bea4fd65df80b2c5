package payer

import (
	"errors"
	"strings"
	"testing"
)

const secret43 = "SkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU"

func TestParsePay(t *testing.T) {
	tests := []struct {
		name, header string
		want         string // the price, "-" for none, or the error's words
	}{
		{"seed", "interledger-psk2 us.nexus.ankita.~recv.filepay " + secret43 + " 10", "an ILP address"},
		{"psk2", "interledger-psk2 g.nexus.ankita.~recv.filepay " + secret43 + " 10", "10"},
		{"padded standard base64", "interledger-psk2 test.conn.x mfWKsvVs3+hj78gN2Us8ufBVswTUBcIm1YSirQ4NPio= 10", "10"},
		{"stream without price", "interledger-stream test.conn.x ajMu2QK4mxCj5ynzJmgM+Un0DeB0Y7l0ZrEEHBAKOks=", "-"},
		{"price zero", "interledger-psk2 test.conn.x " + secret43 + " 0", "0"},
		{"largest price", "interledger-psk2 test.conn.x " + secret43 + " 18446744073709551615", "18446744073709551615"},
		{"empty", "", "0 fields"},
		{"two joined headers", "interledger-psk2 test.a.b " + secret43 + " 10, interledger-stream test.a.b " + secret43 + " 10", "8 fields"},
		{"draft 2", "interledger-psk 10 test.conn.x " + secret43, "payment method"},
		{"no address", "interledger-psk2 nowhere " + secret43 + " 10", "an ILP address"},
		{"short secret", "interledger-psk2 test.conn.x c2hvcnQ 10", "base64 of 16 to 64 bytes"},
		{"price too large", "interledger-psk2 test.conn.x " + secret43 + " 18446744073709551616", "64 bits"},
		{"odd price", "interledger-psk2 test.conn.x " + secret43 + " 1e3", "decimal integer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ask, err := ParsePay(test.header)
			if err != nil {
				if !errors.Is(err, ErrPayHeader) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret43) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				return
			}
			price := "-"
			if ask.Priced {
				price = ask.Price.String()
			}
			if price != test.want || len(ask.Secret) != 32 {
				t.Errorf("price %s, secret of %d bytes; want %s", price, len(ask.Secret), test.want)
			}
		})
	}
}

func FuzzParsePay(f *testing.F) {
	f.Add("interledger-psk2 g.nexus.ankita.~recv.filepay " + secret43 + " 10")
	f.Fuzz(func(t *testing.T, header string) {
		ask, err := ParsePay(header)
		if err == nil && (!ask.Address.Valid() || len(ask.Secret) < 16) {
			t.Errorf("%q was taken as %+v", header, ask)
		}
	})
}
