package paywall

// This file names the backend statuses that count as undelivered.

import (
	"fmt"
	"strconv"
)

// StatusRange is a range of HTTP statuses, both ends included.
type StatusRange struct{ From, To int }

// ParseStatusRange reads a status ("404") or a class ("5xx"), from 200 on.
func ParseStatusRange(s string) (StatusRange, error) {
	if len(s) == 3 && s[0] >= '2' && s[0] <= '5' && s[1:] == "xx" {
		class := int(s[0]-'0') * 100
		return StatusRange{class, class + 99}, nil
	}
	status, err := strconv.Atoi(s)
	if err != nil || len(s) != 3 || status < 200 || status > 599 {
		return StatusRange{}, fmt.Errorf("refund_on %q: write a status such as 404, or a class such as 5xx", s)
	}
	return StatusRange{status, status}, nil
}

func (p *Paywall) refundsOn(status int) bool {
	for _, r := range p.config.RefundOn {
		if r.From <= status && status <= r.To {
			return true
		}
	}
	return false
}
