package balances

// This file is sums of amounts: 128 bits, which no ledger can fill.

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/paydoor/paydoor/amount"
)

// Sum is a total of amounts in base units: 0 to 2^128-1, high and low half.
type Sum struct{ Hi, Lo uint64 }

// Plus returns s+a. It cannot overflow: that would take 2^64 of the largest amounts.
func (s Sum) Plus(a amount.Amount) Sum { return s.PlusSum(Sum{Lo: uint64(a)}) }

// PlusSum returns s+t, which the caller knows to fit.
func (s Sum) PlusSum(t Sum) Sum {
	lo, carry := bits.Add64(s.Lo, t.Lo, 0)
	hi, _ := bits.Add64(s.Hi, t.Hi, carry)
	return Sum{hi, lo}
}

// String returns the decimal digits of s.
func (s Sum) String() string { return s.big().String() }

func (s Sum) big() *big.Int {
	n := new(big.Int).SetUint64(s.Hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(s.Lo))
}

func (s Sum) append(b []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, s.Hi), s.Lo)
}

func readSum(b []byte) Sum {
	return Sum{Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}
}
