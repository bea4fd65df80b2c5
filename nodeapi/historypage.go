package nodeapi

// This file reads the history of an account page by page, newest payments first.

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/paydoor/paydoor/store"
)

const (
	defaultPage  = 50
	longestPage  = 500
	lookedOnPage = 5000 // payments that are looked at for one page, where many are of the other direction
)

// pageQuery is what a page is to have.
type pageQuery struct {
	limit     int
	direction string         // sent or received; "": both
	after     *paymentNumber // nil: from the newest on
}

// readPageQuery reads limit, direction and cursor. The error is a *FieldError.
func readPageQuery(r *http.Request) (q pageQuery, err error) {
	q.limit = defaultPage
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, &FieldError{Why: "the query after ? cannot be read: write ?limit=50&cursor=…"}
	}
	if text, given := values["limit"]; given {
		if q.limit, err = strconv.Atoi(text[0]); err != nil || q.limit < 1 || q.limit > longestPage {
			return q, &FieldError{Field: "limit", Why: "it is a whole number from 1 to " + strconv.Itoa(longestPage)}
		}
	}
	if text, given := values["direction"]; given {
		if q.direction = text[0]; q.direction != sent && q.direction != received {
			return q, &FieldError{Field: "direction", Why: "it is sent or received; leave it out for both"}
		}
	}
	if text, given := values["cursor"]; given {
		n, ok := parseNumber(text[0])
		if !ok {
			return q, &FieldError{Field: "cursor", Why: "it is the next of the page before; leave it out for the newest payments"}
		}
		q.after = &n
	}
	return q, nil
}

// historyPage is some payments of an account, newest first.
type historyPage struct {
	payments []paymentRecord
	next     *paymentNumber // after which the next page goes on; nil: these are the oldest that are kept
	earlier  forgotten      // with the oldest
}

// page reads a page. The error is the store's.
func (h *history) page(uuid string, q pageQuery) (p historyPage, err error) {
	prefix := paymentsOf(uuid)
	var from []byte
	if q.after != nil {
		from = append(keyOfPayment(uuid, *q.after), 0) // the first key behind it
	}
	err = h.store.View(func(v *store.View) error {
		looked := 0
		var last paymentNumber
		err := v.Iterate(prefix, from, func(key, value []byte) error {
			if len(p.payments) == q.limit || looked == lookedOnPage {
				p.next = &last
				return errEnough
			}
			looked++
			record, err := readRecord(key, value)
			if err != nil {
				return err
			}
			last = record.number
			if q.direction == "" || q.direction == record.details.Direction {
				p.payments = append(p.payments, record)
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err == nil {
			p.earlier, err = forgottenOf(v, uuid)
		}
		return err
	})
	return p, err
}

// stateOf says what became of a payment.
func (h *history) stateOf(p paymentRecord, now time.Time) string {
	if p.details.Direction == received {
		if p.details.Closed || now.Sub(p.changed) > arrivalIdle {
			return stateCompleted
		}
		return stateUnderWay
	}
	if p.details.State != "" {
		return p.details.State
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.paying[p.number]; ok {
		return stateUnderWay
	}
	return stateUnknown
}
