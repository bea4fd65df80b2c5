package balances

// This file is the ledger's format: the keys and records it keeps in the store. They are final. What a later version may add is keys
// under other prefixes, of which this one knows nothing and which it leaves alone, and records of a higher version or, in a history, of
// another kind. Those it refuses with ErrRecord instead of guessing what they mean: opening the ledger, and using an account, if it
// meets one where it looks, and History and Audit, while money goes on, if it is in a history.
//
// Integers are big-endian, times are milliseconds since 1970, sums have 16 bytes. Every record begins with a version byte, 1 if not
// said otherwise; a higher one is refused.
//
//	led/totals   version | credits sum | reversals sum | charges sum | raised sum | lowered sum | credits counted u64 | charges counted u64
//	led/asset    version | scale u8 | code
//	led/clock    version | the duplicate clock's time u64 (known.go)
//	bal/ account [32]byte
//	             version 2 | balance u64 | pending charges: sum u64 | count u32 | wall time of the first, in seconds, u32
//	             version 1 | balance u64, without pending charges; read, and no longer written
//	cr/ minute u32 / condition [32]byte
//	             version | account [32]byte | amount u64 | digest [32]byte | wall time u64
//	adj/ ID of an adjustment
//	             version | account [32]byte | kind u8 | amount u64 | note
//	his/ account [32]byte | sequence of the group u64 | number u32
//	             version | kind u8 | wall time u64 | and by kind
//	             'C' credit            amount u64 | condition [32]byte
//	             'R' reversed credit   amount u64 | condition [32]byte
//	             '+' raised            amount u64 | note
//	             '-' lowered           amount u64 | note
//	             'F' folded            as the totals
//	             version 2 | kind u8 | wall time u64 | amount u64 | length of the ID u8 | ID | note, for '+' and '-' with an ID
//	             'S' settled charges   count u64 | sum
//
// The records of a group are numbered from 1; that of kind 'F' has sequence and number 0. (Version 1 of balances came with a record, numbered 0, of the charges of an account in each
// group.) The minute of a credit is the one, by the duplicate clock, at whose beginning its condition may be forgotten.
//
// Pending charges are in the balance and not yet in the history (pending.go).
//
// A balance is credits - reversals - charges + raised - lowered, for each account by its history and its pending charges, and over all by
// the totals.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/amount"
)

const (
	recordVersion  = 1
	balanceVersion = 2
	eventVersion   = 2

	totalsKey     = "led/totals"
	assetKey      = "led/asset"
	clockKey      = "led/clock"
	balancePrefix = "bal/"
	creditPrefix  = "cr/"
	historyPrefix = "his/"
	adjustPrefix  = "adj/"

	balanceSize  = 1 + 8 + 8 + 4 + 4
	balanceV1    = 1 + 8 // the size of version 1
	creditSize   = 1 + 32 + 8 + 32 + 8
	sumsSize     = 5*16 + 2*8
	totalsSize   = 1 + sumsSize
	eventSize    = 1 + 1 + 8      // and more by kind
	adjustedSize = 1 + 32 + 1 + 8 // and the note

	// MaxNote is the longest note of an Adjustment, in bytes.
	MaxNote = 200
	// MaxID is the longest ID of an Adjustment, in bytes.
	MaxID = 64
)

// ErrRecord says that a record of the ledger is damaged, or was written by a newer version.
var ErrRecord = errors.New("unreadable record in the ledger")

// The functions that make keys are small so that the compiler can keep these out of the heap.
func balanceKey(a Account) []byte {
	return append(append(make([]byte, 0, len(balancePrefix)+len(a)), balancePrefix...), a[:]...)
}

func creditKey(minute uint32, condition [32]byte) []byte {
	return append(append(minutePrefix(minute), '/'), condition[:]...)
}

func minutePrefix(minute uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte(creditPrefix), minute)
}

func historyKey(a Account, sequence uint64, number uint32) []byte {
	b := make([]byte, 0, len(historyPrefix)+32+8+4)
	b = append(append(b, historyPrefix...), a[:]...)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, sequence), number)
}

func adjustmentKey(id string) []byte { return append([]byte(adjustPrefix), id...) }

func readCreditKey(key []byte) (minute uint32, condition [32]byte, err error) {
	const at = len(creditPrefix)
	if len(key) != at+4+1+32 {
		return 0, condition, fmt.Errorf("%w: credit key of %d bytes", ErrRecord, len(key))
	}
	return binary.BigEndian.Uint32(key[at:]), [32]byte(key[at+5:]), nil
}

func readAccountKey(key []byte, prefix string) (Account, error) {
	if len(key) < len(prefix)+32 {
		return Account{}, fmt.Errorf("%w: key of %d bytes under %s", ErrRecord, len(key), prefix)
	}
	return Account(key[len(prefix):]), nil
}

// checkRecord makes sure that b has version 1 and exactly, or with more, at least, size bytes.
func checkRecord(what string, b []byte, size int, more bool) error {
	return checkVersion(what, b, recordVersion, size, more)
}

func checkVersion(what string, b []byte, version byte, size int, more bool) error {
	if len(b) > 0 && b[0] > version {
		return fmt.Errorf("%w: %s of version %d; run the newer program that wrote it", ErrRecord, what, b[0])
	}
	if len(b) < size || b[0] != version || (!more && len(b) != size) {
		return fmt.Errorf("%w: %s of %d bytes", ErrRecord, what, len(b))
	}
	return nil
}

// record is what the store has of an account.
type record struct {
	balance amount.Amount
	pending pending
}

func (r record) encode() (b [balanceSize]byte) {
	b[0] = balanceVersion
	binary.BigEndian.PutUint64(b[1:], uint64(r.balance))
	binary.BigEndian.PutUint64(b[9:], uint64(r.pending.sum))
	binary.BigEndian.PutUint32(b[17:], r.pending.count)
	binary.BigEndian.PutUint32(b[21:], r.pending.since)
	return b
}

func decodeBalance(b []byte) (record, error) {
	if len(b) > 0 && b[0] == recordVersion {
		if err := checkRecord("balance", b, balanceV1, false); err != nil {
			return record{}, err
		}
		return record{balance: amount.Amount(binary.BigEndian.Uint64(b[1:]))}, nil
	}
	if err := checkVersion("balance", b, balanceVersion, balanceSize, false); err != nil {
		return record{}, err
	}
	return record{
		balance: amount.Amount(binary.BigEndian.Uint64(b[1:])),
		pending: pending{
			sum:   amount.Amount(binary.BigEndian.Uint64(b[9:])),
			count: binary.BigEndian.Uint32(b[17:]),
			since: binary.BigEndian.Uint32(b[21:]),
		},
	}, nil
}

// credited is what is kept of a credit to know its duplicates.
type credited struct {
	account Account
	amount  amount.Amount
	digest  [32]byte
	at      time.Time
}

func (c credited) encode() []byte {
	b := append(append(make([]byte, 0, creditSize), recordVersion), c.account[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.amount))
	return appendTime(append(b, c.digest[:]...), c.at)
}

func decodeCredited(b []byte) (credited, error) {
	if err := checkRecord("credit", b, creditSize, false); err != nil {
		return credited{}, err
	}
	return credited{
		account: Account(b[1:33]),
		amount:  amount.Amount(binary.BigEndian.Uint64(b[33:])),
		digest:  [32]byte(b[41:73]),
		at:      readTime(b[73:]),
	}, nil
}

// Totals are sums over all accounts since the ledger began.
type Totals struct {
	Credits   Sum // credits, those that were reversed included
	Reversals Sum // credits that came too late and were taken back
	Charges   Sum
	Raised    Sum // by Adjust
	Lowered   Sum // by Adjust

	CreditCount uint64
	ChargeCount uint64
}

func (t Totals) encode() []byte { return t.append(append(make([]byte, 0, totalsSize), recordVersion)) }

func (t Totals) append(b []byte) []byte {
	for _, s := range []Sum{t.Credits, t.Reversals, t.Charges, t.Raised, t.Lowered} {
		b = s.append(b)
	}
	b = binary.BigEndian.AppendUint64(b, t.CreditCount)
	return binary.BigEndian.AppendUint64(b, t.ChargeCount)
}

func decodeTotals(b []byte) (Totals, error) {
	if err := checkRecord("totals", b, totalsSize, false); err != nil {
		return Totals{}, err
	}
	return readTotals(b[1:]), nil
}

func readTotals(b []byte) Totals {
	return Totals{
		Credits: readSum(b), Reversals: readSum(b[16:]), Charges: readSum(b[32:]), Raised: readSum(b[48:]), Lowered: readSum(b[64:]),
		CreditCount: binary.BigEndian.Uint64(b[80:]), ChargeCount: binary.BigEndian.Uint64(b[88:]),
	}
}

// Asset is what the ledger's amounts are amounts of.
type Asset struct {
	Code  string // 1 to 32 bytes
	Scale uint8  // one whole unit is 10^Scale base units
}

func (a Asset) encode() []byte { return append([]byte{recordVersion, a.Scale}, a.Code...) }

func decodeAsset(b []byte) (Asset, error) {
	if err := checkRecord("asset", b, 3, true); err != nil {
		return Asset{}, err
	}
	return Asset{Code: string(b[2:]), Scale: b[1]}, nil
}

func encodeClock(t time.Time) []byte { return appendTime([]byte{recordVersion}, t) }

func decodeClock(b []byte) (time.Time, error) {
	if err := checkRecord("clock", b, 9, false); err != nil {
		return time.Time{}, err
	}
	return readTime(b[1:]), nil
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMilli()))
}

func readTime(b []byte) time.Time { return time.UnixMilli(int64(binary.BigEndian.Uint64(b))) }
