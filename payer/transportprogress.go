package payer

// This file follows a payment for a request: the budget is asked before it and settled after it, and whoever wants to know is told.

import (
	"errors"

	"github.com/paydoor/paydoor/amount"
)

// Progress is how far a payment of a Transport is. Amounts of the sender and of the host are base units of either.
type Progress struct {
	Host      string
	Method    string        // MethodStream or MethodPSK2
	Due       amount.Amount // what has to arrive; 0: what the host takes
	Cost      amount.Amount // the most that may leave, approved by the budget; 0: it was refused
	Sent      amount.Amount
	Delivered amount.Amount
	Unknown   amount.Amount // what may have left: nobody told
	Done      bool          // the payment is over
	Err       error         // why it failed
}

// spending is a payment for a request.
type spending struct {
	*paidRequest
	progress Progress
}

// approve asks the budget.
func (s *spending) approve(cost amount.Amount) error {
	if err := s.reserve(cost); err != nil {
		return err
	}
	s.progress.Cost = cost
	s.tell()
	return nil
}

// reserve sets cost aside, beside what the request has spent before.
func (s *spending) reserve(cost amount.Amount) error {
	before := s.purse.spentAt(s.name)
	if before == 0 {
		return s.Budget.Reserve(s.name, cost)
	}
	budget, ok := s.Budget.(repeatBudget)
	if !ok {
		return errOnePayment
	}
	return budget.ReserveAgain(s.name, cost, before)
}

// errOnePayment is for budgets that know nothing of requests with several payments.
var errOnePayment = errors.New("others have spent what the request had paid, and its budget allows no second payment")

// moved notes how far the payment is.
func (s *spending) moved(r Result) {
	s.progress.Sent, s.progress.Delivered, s.progress.Unknown = r.Sent, r.Delivered, r.Unknown
	s.tell()
}

// end settles with the budget. What may have been spent counts as spent.
func (s *spending) end(err error) {
	if s.progress.Cost > 0 {
		spent := s.progress.Sent.Saturate(s.progress.Unknown)
		s.Budget.Settle(s.name, s.progress.Cost, spent)
		s.purse.spend(s.name, spent)
	}
	s.progress.Done, s.progress.Err = true, err
	s.tell()
}

func (s *spending) tell() {
	if s.Transport.Progress != nil {
		s.Transport.Progress(s.progress)
	}
}
