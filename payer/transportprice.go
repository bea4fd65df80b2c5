package payer

// This file asks what a request costs, and pays nothing.

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// Price is what a server says that a request costs.
type Price struct {
	Priced  bool // false: it told no price, and the rest is empty
	Method  string
	Address ilpcore.Address
	Price   amount.Amount // in base units of the host, as are Balance and Due
	Balance amount.Amount // of the token
	Due     amount.Amount // what would be paid
	Cost    amount.Amount // what paying Due costs, in base units of the sender
}

// errMeasured ends a payment of which only the cost is wanted.
var errMeasured = errors.New("the cost is known")

// Price asks with OPTIONS what r costs and measures what the payment would. Nothing is paid, and r is not sent.
func (t *Transport) Price(r *http.Request) (Price, error) {
	p, err := t.prepare(r)
	if err != nil {
		return Price{}, err
	}
	p.host = t.hosts.get(p.name)
	q, priced, err := p.query()
	if err != nil || !priced {
		return Price{}, err
	}
	price := Price{Priced: true, Method: q.ask.Method, Address: q.ask.Address, Price: q.ask.Price, Balance: q.balance}
	if price.Due, _ = price.Price.Sub(price.Balance); price.Due == 0 {
		return price, nil
	}
	if err = p.ready(r.Context()); err == nil {
		price.Cost, err = p.measure(q.ask, price.Due)
	}
	if err != nil {
		return price, fmt.Errorf("measuring what it costs to pay %s: %w", price.Due, err)
	}
	return price, nil
}

// measure returns what it costs to deliver due.
func (p *paidRequest) measure(ask Ask, due amount.Amount) (cost amount.Amount, err error) {
	if ask.Method == MethodPSK2 {
		return PSK2{Link: p.Link, Random: p.Random, Now: p.Now}.Cost(p.request.Context(), ask, due)
	}
	_, err = Stream{Link: p.Link, Random: p.Random, Now: p.Now}.Pay(p.request.Context(), Payment{
		Address: ask.Address, Secret: ask.Secret, Deliver: due,
		Approve: func(n amount.Amount) error {
			cost = n
			return errMeasured
		},
	})
	if errors.Is(err, errMeasured) {
		return cost, nil
	}
	return 0, err
}
