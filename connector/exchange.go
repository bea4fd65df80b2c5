package connector

// This file is what becomes of a packet whose amount cannot be turned into the next account's asset.

import (
	"errors"
	"fmt"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// errDust says that nothing is left of an amount.
var errDust = errors.New("less than one unit")

// tooLarge is an amount that cannot be converted, with the largest that could be.
type tooLarge struct{ largest amount.Amount }

func (tooLarge) Error() string { return errTooLarge.Error() }

// noRate names the assets of ErrNoRate.
type noRate struct{ from, to ilpcore.Asset }

func (e noRate) Error() string {
	return fmt.Sprintf("No exchange rate available from asset: %s to: %s", e.from.Code, e.to.Code) // as interledger-rs words it
}

func (noRate) Is(target error) bool { return target == ErrNoRate }

// exchange returns what a packet of a, counted in from, goes on with: noRate, tooLarge or errDust. An amount of 0 stays 0.
func (d *dispatch) exchange(a amount.Amount, from, to ilpcore.Asset) (amount.Amount, error) {
	out, largest, err := d.node.rates.convert(a, from, to)
	switch {
	case errors.Is(err, ErrNoRate):
		return 0, noRate{from, to}
	case err != nil:
		return 0, tooLarge{largest}
	case out == 0 && a > 0:
		return 0, errDust
	}
	return out, nil
}

// refuse says why a packet of a cannot go on: R01, F08 with both amounts, or T00.
func (d *dispatch) refuse(a amount.Amount, err error) ilpcore.Reply {
	self := d.node.self()
	if err == errDust {
		return ilpcore.Reject(ilpcore.R01, self, "after the exchange less than one unit is left; send more", nil)
	}
	if large, ok := errors.AsType[tooLarge](err); ok {
		data := ilpcore.AmountTooLarge{Received: a, Maximum: large.largest}.Append(nil)
		return ilpcore.Reject(ilpcore.F08, self, "after the exchange the amount does not fit a packet; send smaller ones", data)
	}
	return ilpcore.Reject(ilpcore.T00, self, err.Error(), nil)
}
