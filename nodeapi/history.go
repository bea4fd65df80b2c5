package nodeapi

// This file is a payment as it is kept in the history of an account, and where: what changes with each packet, and what hardly does.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// The format is final; integers are big-endian.
//
//	node/payment/ UUID of the account / complement of the number, 12 bytes: so the newest comes first
//	      version 1 | units u64 | packets u64 | nanoseconds since 1970 of the last change, i64 | paymentDetails in JSON
//	node/arriving/ UUID of the account / hash of an address, 16 bytes
//	      number of the payment that comes there, 12 bytes
//	node/forgotten/ UUID of the account
//	      forgotten in JSON
const (
	paymentKey     = "node/payment/"
	arrivingKey    = "node/arriving/"
	forgottenKey   = "node/forgotten/"
	paymentVersion = 1
	paymentHead    = 1 + 8 + 8 + 8
)

// errPayment says that a payment in the store is damaged, or was written by a newer version.
var errPayment = errors.New("unreadable payment in the history of an account")

// The directions of payments, as seen by the account.
const (
	sent     = "sent"
	received = "received"
)

// What became of payments. All but under_way are kept; that one is not under way any more, though nobody has written down how it ended, shows by itself as
// unknown.
const (
	stateCompleted = "completed" // what was sent: all of it; what was received: the sender has closed it, or nothing came for ten minutes
	statePartial   = "partial"   // a part was sent
	stateFailed    = "failed"    // nothing was sent
	stateUnderWay  = "under_way"
	stateUnknown   = "unknown" // it was sent when the node stopped, or nobody told what became of it
)

// paymentNumber numbers the payments of a store: the group that its record began in, and which of those of the group it is.
type paymentNumber struct {
	group uint64
	place uint32
}

// paymentDetails is what is known of a payment beside its amount.
type paymentDetails struct {
	Direction   string            `json:"direction"`
	Begun       time.Time         `json:"begun"`
	Asset       Asset             `json:"asset"` // of the account
	Destination ilpcore.Address   `json:"destination,omitempty"`
	From        ilpcore.AccountID `json:"from,omitempty"`   // received: the account of this node that it came from
	Closed      bool              `json:"closed,omitempty"` // received: the sender has said that it was all

	Receiver  string         `json:"receiver,omitempty"` // sent: as the account wrote it, without user and password
	Key       string         `json:"key,omitempty"`      // sent: the Idempotency-Key
	Source    amount.Amount  `json:"source,omitempty"`   // sent: what was to be
	State     string         `json:"state,omitempty"`    // sent: as it ended; "" before
	Why       string         `json:"why,omitempty"`      // sent: that it did not end well
	InFlight  amount.Amount  `json:"in_flight,omitempty"`
	Delivered *amount.Amount `json:"delivered,omitempty"`      // sent: in the receiver's asset, by its own word
	Counts    *ilpcore.Asset `json:"receiver_asset,omitempty"` // sent: what the receiver counts, as it says
}

// paymentRecord is a payment of an account.
type paymentRecord struct {
	number  paymentNumber
	units   amount.Amount // that the account's balance has fallen or risen by, in base units
	packets uint64        // that moved them
	changed time.Time     // when the last of them came, or the payment ended
	details paymentDetails
}

// move counts a packet. Units below zero take one back.
func (p *paymentRecord) move(units int64) {
	if units < 0 {
		p.units, p.packets = p.units-amount.Amount(-units), p.packets-1
		return
	}
	p.units, p.packets = p.units.Saturate(amount.Amount(units)), p.packets+1
}

// encode appends the record to b; details is p.details in JSON, which is the same for many packets.
func (p *paymentRecord) encode(b, details []byte) []byte {
	b = append(b, paymentVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(p.units))
	b = binary.BigEndian.AppendUint64(b, p.packets)
	b = binary.BigEndian.AppendUint64(b, uint64(p.changed.UnixNano()))
	return append(b, details...)
}

// decodePayment reads a record without its number. The error is errPayment.
func decodePayment(value []byte) (p paymentRecord, err error) {
	if len(value) < paymentHead || value[0] != paymentVersion {
		return p, errPayment
	}
	p.units, p.packets = amount.Amount(binary.BigEndian.Uint64(value[1:])), binary.BigEndian.Uint64(value[9:])
	p.changed = time.Unix(0, int64(binary.BigEndian.Uint64(value[17:]))).UTC()
	if err := json.Unmarshal(value[paymentHead:], &p.details); err != nil {
		return p, fmt.Errorf("%w: %w", errPayment, err)
	}
	if p.details.Direction != sent && p.details.Direction != received {
		return p, fmt.Errorf("%w: it has the direction %q", errPayment, p.details.Direction)
	}
	return p, nil
}

// readRecord reads a record with its key.
func readRecord(key, value []byte) (paymentRecord, error) {
	p, err := decodePayment(value)
	if err == nil && len(key) < 12 {
		err = errPayment
	}
	if err != nil {
		return p, err
	}
	p.number = decodeNumber(key[len(key)-12:], true)
	return p, nil
}

// paymentsOf is what the keys of an account's payments begin with.
func paymentsOf(uuid string) []byte { return []byte(paymentKey + uuid + "/") }

func keyOfPayment(uuid string, n paymentNumber) []byte { return n.append(paymentsOf(uuid), true) }

// append appends the number, or its complement.
func (n paymentNumber) append(b []byte, complement bool) []byte {
	if complement {
		n.group, n.place = ^n.group, ^n.place
	}
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, n.group), n.place)
}

// decodeNumber reads 12 bytes.
func decodeNumber(b []byte, complement bool) paymentNumber {
	n := paymentNumber{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])}
	if complement {
		n.group, n.place = ^n.group, ^n.place
	}
	return n
}

// String is the number as clients see it, two hexadecimal numbers: the ID of a payment, and where a page goes on.
func (n paymentNumber) String() string {
	return strconv.FormatUint(n.group, 16) + "-" + strconv.FormatUint(uint64(n.place), 16)
}

// parseNumber reads what String writes, and nothing else.
func parseNumber(text string) (n paymentNumber, ok bool) {
	group, place, _ := strings.Cut(text, "-")
	g, err := strconv.ParseUint(group, 16, 64)
	p, err2 := strconv.ParseUint(place, 16, 32)
	n = paymentNumber{g, uint32(p)}
	return n, err == nil && err2 == nil && n.String() == text
}

// arrivalKey names what is paid to one address of an account.
type arrivalKey struct {
	uuid string
	hash [16]byte // of the segment that SPSP made
}

func (k arrivalKey) key() []byte { return append([]byte(arrivingKey+k.uuid+"/"), k.hash[:]...) }

// arrivalOf returns the key of what is paid to an address whose last segment SPSP has made.
func arrivalOf(uuid string, destination []byte) arrivalKey {
	hash := sha256.Sum256(destination[bytes.LastIndexByte(destination, '.')+1:])
	return arrivalKey{uuid, [16]byte(hash[:16])}
}

// payable is the part of a destination up to the segment that SPSP has made, which is the first of rest; what follows is the sender's business.
func payable(destination, rest []byte) []byte {
	after := 0
	if i := bytes.IndexByte(rest, '.'); i >= 0 {
		after = len(rest) - i
	}
	return destination[:len(destination)-after]
}
