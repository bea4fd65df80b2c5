package nodeapi

// This file is amounts of settlement: whole numbers of any scale, and what of them is too small for an account's own.

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// maxQuantityDigits is how many digits the amount of a Quantity has at most: 64 bits at any scale fit.
const maxQuantityDigits = 300

// errTooMuch says that a settlement is more than a balance holds.
var errTooMuch = errors.New("the amount is more than a balance can hold: nothing was credited")

// Quantity is an amount of base units of 10^-Scale (RFC 38).
type Quantity struct {
	Amount string `json:"amount"` // decimal digits
	Scale  uint8  `json:"scale"`
}

// readQuantity reads {"amount":"123","scale":9}. The error is a *bodyError.
func readQuantity(r *request) (Quantity, error) {
	f, err := readFields(r)
	if err != nil {
		return Quantity{}, err
	}
	f.require("amount", "scale")
	digits, given := f.number("amount")
	if given && !wholeNumber(digits) {
		f.wrong("amount", fmt.Sprintf("it is a whole number of at most %d digits, as a string", maxQuantityDigits))
	}
	scale := f.unsigned("scale", 8, 0)
	if err := f.err(); err != nil {
		return Quantity{}, err
	}
	return Quantity{Amount: digits, Scale: uint8(*scale)}, nil
}

func wholeNumber(s string) bool {
	if s == "" || len(s) > maxQuantityDigits || len(s) > 1 && s[0] == '0' {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// leftover is what came in for an account and is less than one of its base units. It is kept, and counts with the next settlement.
type leftover struct {
	UUID     string   `json:"uuid"` // of the account: a later one of the same name gets nothing of it
	Code     string   `json:"code"` // of the asset
	Quantity Quantity `json:"quantity"`
}

// leftoverKey is where leftovers are kept; the ID of the account follows, the value is a leftover in JSON.
const leftoverKey = "node/leftover/"

// add returns how many base units of 10^-scale q and what was left over are together, and what is left over then. It is exact. The error
// is errTooMuch.
func (l leftover) add(q Quantity, scale uint8) (amount.Amount, leftover, error) {
	finest := max(q.Scale, l.Quantity.Scale, scale)
	total := new(big.Int).Add(q.at(finest), l.Quantity.at(finest))
	whole, rest := new(big.Int).QuoRem(total, powerOfTen(finest-scale), new(big.Int))
	if !whole.IsUint64() {
		return 0, l, errTooMuch
	}
	l.Quantity = Quantity{Amount: rest.String(), Scale: finest}
	if rest.Sign() == 0 {
		l.Quantity.Scale = 0
	}
	return amount.Amount(whole.Uint64()), l, nil
}

// at returns the quantity in base units of 10^-scale, which is no coarser than its own.
func (q Quantity) at(scale uint8) *big.Int {
	n := new(big.Int)
	n.SetString(q.Amount, 10) // 0 where nothing was kept
	return n.Mul(n, powerOfTen(scale-q.Scale))
}

func powerOfTen(n uint8) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// leftoverOf returns what is left over for an account that counts in the given asset.
func (d *Directory) leftoverOf(s Settings, asset Asset) (leftover, error) {
	none := leftover{UUID: s.UUID, Code: asset.Code, Quantity: Quantity{Amount: "0"}}
	b, err := d.store.Get(keyOfLeftover(s.ID))
	if errors.Is(err, store.ErrNotFound) {
		return none, nil
	}
	var l leftover
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err != nil {
		return none, fmt.Errorf("reading what settlements of account %q have left over: %w", s.ID, err)
	}
	if l.UUID != none.UUID || l.Code != none.Code {
		return none, nil
	}
	return l, nil
}

func keyOfLeftover(id ilpcore.AccountID) []byte { return []byte(leftoverKey + string(id)) }
