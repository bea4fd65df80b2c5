package paywall

// This file is one charge from reserve to outcome (D6): the price is set aside before the backend is called, and exactly one of
// settle and release follows, whatever the backend, the client or the handler chain does.

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/internal/failpoint"
)

// statusClientGone is what proxies write for the log when the client leaves before there is an answer.
const statusClientGone = 499

type charge struct {
	paywall     *Paywall
	request     *http.Request
	method      Method
	token       token
	account     balances.Account
	id          string
	cost        cost
	body        *watchedBody // nil without a body
	watched     watchedBody  // what body points to
	reservation Reservation
	rest        Reservation   // for the bytes that come after the answer began; nil: none may come
	paid        amount.Amount // what the bytes before it cost

	sent        atomic.Bool           // request headers went upstream
	undelivered atomic.Pointer[error] // what a proxy said to Undelivered

	outcome Outcome // Reserved until it is decided
	balance amount.Amount
	quoted  bool
	charged amount.Amount
	header  [4]string // the values of Pay, Pay-Balance, Vary and Cache-Control in the answer
	events  [2]Event  // Reserved, and what became of it

	trace  httptrace.ClientTrace
	writer responseWriter
	fields [4]string // backs the values of the request headers for the backend
}

func newCharge(p *Paywall, r *http.Request, tok token, account balances.Account, c cost, reservation Reservation) *charge {
	return &charge{
		paywall: p, request: r, method: p.method(r), token: tok, account: account, cost: c, reservation: reservation, outcome: Reserved,
	}
}

// reserve sets price aside. A nil Reservation without an error means that the balance does not cover it. The balance is read
// after the refusal, so a payment may arrive between the two: then the request is paid and reserve tries again.
func reserve(ctx context.Context, ledger Ledger, account balances.Account, price amount.Amount) (Reservation, amount.Amount, error) {
	failpoint.Hit("paywall/priced")
	for range 3 {
		reservation, err := ledger.Reserve(ctx, account, price)
		if err == nil {
			return reservation, 0, nil
		}
		if !errors.Is(err, balances.ErrInsufficient) {
			return nil, 0, err
		}
		balance, err := ledger.Balance(ctx, account)
		if err != nil || balance < price {
			return nil, balance, err
		}
	}
	return nil, 0, balances.ErrBusy
}

// forward calls the backend with the price reserved.
func (p *Paywall) forward(w http.ResponseWriter, r *http.Request, next Next, c *charge) error {
	defer c.end()
	failpoint.Hit("paywall/reserved")
	c.balance = c.reservation.Left()
	c.announce()
	c.writer.init(w, c)
	c.tell(&c.events[0], 0, nil)
	return c.returned(next(&c.writer, c.outgoing()))
}

// announce makes the texts of the charge's headers for the backend: in one string, since they are made for every request.
func (c *charge) announce() {
	var room [160]byte
	b := hex.AppendEncode(room[:0], c.account[:])
	account := len(b)
	b = strconv.AppendUint(b, uint64(c.cost.price), 10)
	price := len(b)
	b = strconv.AppendUint(b, uint64(c.balance), 10)
	balance := len(b)
	b = c.paywall.ids.append(b)
	all := string(b)
	c.fields = [4]string{all[:account], all[account:price], all[price:balance], all[balance:]}
	c.id = c.fields[3]
}

// outgoing is the request as the backend gets it: without the client's Pay headers, with ours, and traced.
func (c *charge) outgoing() *http.Request {
	cleanRequest(c.request, keepWebSocket)
	h := c.request.Header
	h["Paydoor-Account"] = c.fields[0:1:1]
	h["Paydoor-Price"] = c.fields[1:2:2]
	h["Paydoor-Balance"] = c.fields[2:3:3]
	h["Paydoor-Charge-Id"] = c.fields[3:4:4]
	c.trace.WroteHeaders = func() { c.sent.Store(true) }
	ctx := context.WithValue(c.request.Context(), chargeKey{}, c)
	out := c.request.WithContext(httptrace.WithClientTrace(ctx, &c.trace))
	if out.Body == nil {
		out.Body = http.NoBody
	}
	if c.cost.count || out.Body != http.NoBody {
		c.watched.ReadCloser, c.watched.counted, c.watched.max, c.watched.ended = out.Body, c.cost.count, c.cost.max, c.paywall.config.Ended
		c.body = &c.watched
		out.Body = c.body
	}
	return out
}

// final decides on the first final response header: settle before anything of it goes out, or release.
func (c *charge) final(w *responseWriter, status int) bodyMode {
	failure := c.undelivered.Load()
	switch {
	case failure != nil:
		c.unanswered(status, *failure)
	case status == statusClientGone && c.cancelled():
		c.unanswered(status, context.Canceled)
	case c.cancelled() && !c.left(): // a handler that goes on for nobody, as that of FastCGI does
		c.release(status, context.Canceled)
	case status == http.StatusPaymentRequired && !c.paywall.config.PassBackend402:
		c.release(status, nil)
		w.restore()
		c.describe(w.Header())
		backend402.write(w.under, c.request)
		return discardBody
	case c.paywall.refundsOn(status):
		c.release(status, nil)
	default:
		if err := c.settle(status); err != nil {
			w.restore()
			c.paywall.isolate(w.Header())
			c.paywall.config.CORS.share(w.Header(), c.request)
			unsettled.write(w.under, c.request)
			return refuseBody
		}
	}
	c.describe(w.Header())
	return passBody
}

// returned handles the normal return of the backend's handler; end handles the rest.
func (c *charge) returned(err error) error {
	switch {
	case c.outcome == Unsettled && errors.Is(err, errUnsettled):
		return nil // the client has its 503, and this is only our own refusal coming back
	case c.outcome != Reserved:
		return err
	case c.body != nil && c.body.exceeded.Load():
		c.release(c.cost.excess.Status, err)
		c.writer.restore()
		c.describe(c.writer.Header())
		c.writer.wrote = true
		c.cost.excess.write(c.writer.under, c.request)
		return nil
	case err == nil && !c.cancelled():
		c.writer.WriteHeader(http.StatusOK) // what the server would send: an empty answer is an answer
		return nil
	}
	c.unanswered(0, err)
	c.describe(c.writer.Header())
	return err
}

// end runs last, also when the handler panicked: nothing stays reserved, and no trailer of ours comes from the backend. Panics
// go on, except for a proxy's that aborts because we refused its body: the client's 503 is whole and shall not be aborted.
func (c *charge) end() {
	if c.writer.refused {
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			panic(v)
		}
	}
	if c.outcome == Reserved {
		c.unanswered(0, errNoResponse)
	}
	c.settleRest()
	for _, name := range [...]string{"Paydoor-Account", "Paydoor-Price", "Paydoor-Balance", "Paydoor-Charge-Id"} {
		delete(c.request.Header, name) // error routes may call another backend, and this charge is over
	}
	if c.writer.under != nil {
		c.writer.finish()
	}
}

var errNoResponse = errors.New("the handler ended without a response")

// unanswered decides when there was no response. If the client left, or broke its body off, after the backend had its request, the work
// was done for it: otherwise leaving early would be a way to get it free (T13).
func (c *charge) unanswered(status int, err error) {
	if c.sent.Load() && c.left() {
		c.cost.count = c.cost.perByte > 0 && c.body != nil // no bytes cost anything but those that came, whatever was announced
		_ = c.settle(statusClientGone)                     // nobody is left to tell; the observer knows
		return
	}
	c.release(status, err)
}

// settle takes the charge. It does not end early when the client leaves, since the outcome would then be unknown.
func (c *charge) settle(status int) error {
	charged := c.cost.price
	if c.cost.count {
		charged = c.body.charge(c.cost.perByte)
	}
	failpoint.Hit("paywall/answered")
	balance, err := c.reservation.Settle(context.Background(), charged)
	if err != nil {
		c.reservation.Release()
		c.outcome = Unsettled
		c.tell(&c.events[1], http.StatusServiceUnavailable, err)
		return err
	}
	failpoint.Hit("paywall/settled")
	c.outcome, c.balance = Settled, balance
	c.charged = charged
	c.tell(&c.events[1], status, nil)
	c.goOn(charged)
	return nil
}

// goOn reserves for the bytes of a counted body that come after the answer has begun. If the balance does not cover them any more,
// none come.
func (c *charge) goOn(paid amount.Amount) {
	if !c.cost.count || c.body.whole.Load() {
		return
	}
	rest, _ := c.cost.price.Sub(paid)
	var err error
	c.paid = paid
	if c.rest, err = c.paywall.config.Ledger.Reserve(c.request.Context(), c.account, rest); err != nil {
		c.rest = nil
		c.body.freeze()
	}
}

// settleRest charges what came after the answer had begun.
func (c *charge) settleRest() {
	if c.rest == nil {
		return
	}
	c.body.freeze()
	more, _ := c.body.charge(c.cost.perByte).Sub(c.paid)
	balance, err := c.rest.Settle(context.Background(), more)
	e := c.event(0, err)
	if err != nil {
		c.rest.Release()
		e.Outcome, e.Charged = Unsettled, 0
	} else {
		e.Charged, e.Balance = more, balance
	}
	if more > 0 {
		c.paywall.observe(c.request, &e)
	}
}

func (c *charge) release(status int, err error) {
	if c.outcome != Reserved {
		return
	}
	c.balance = c.reservation.Release()
	c.outcome = Released
	c.tell(&c.events[1], status, err)
}

func (c *charge) event(status int, err error) Event {
	return Event{
		Outcome: c.outcome, Account: c.account, ChargeID: c.id, Price: c.cost.price, Charged: c.charged, Balance: c.balance, Status: status, Err: err,
	}
}

// tell tells the observer of the step that the charge has come to. The event's memory is the charge's: there are two for each request.
func (c *charge) tell(e *Event, status int, err error) {
	*e = c.event(status, err)
	c.paywall.observe(c.request, e)
}

// describe puts our headers on an answer, after the outcome is known: the balance that is left and where to pay the next
// time. A node without an address has nothing to say about the latter, which is no reason to withhold a paid answer.
func (c *charge) describe(h http.Header) {
	c.header[2], c.header[3] = "Pay-Token", "private"
	if h["Vary"] == nil {
		h["Vary"] = c.header[2:3:3]
	}
	if h["Cache-Control"] == nil {
		h["Cache-Control"] = c.header[3:4:4]
	}
	makePrivate(h)
	scrubAnnounced(h)
	varyBy(h, "Pay-Token")
	if c.outcome == Settled || c.outcome == Released {
		quote, err := c.paywall.config.Quoter.Quote(QuoteRequest{
			Token: c.token.bytes[:c.token.size], Account: c.account, Price: c.cost.price, Paid: c.outcome == Settled,
		})
		c.quoted = err == nil
		c.say(quote)
		c.place(h)
	}
	c.paywall.config.CORS.share(h, c.request)
}

// say makes the values of Pay and Pay-Balance: in one string, as announce does.
func (c *charge) say(quote Quote) {
	var room [320]byte
	b := room[:0]
	if c.quoted {
		b = appendPayLine(b, c.method, quote, c.cost.price)
	}
	line := len(b)
	b = strconv.AppendUint(b, uint64(c.balance), 10)
	all := string(b)
	c.header[0], c.header[1] = all[:line], all[line:]
}

func (c *charge) place(h http.Header) {
	if c.quoted {
		h["Pay"] = c.header[0:1:1]
	}
	if c.header[1] != "" {
		h["Pay-Balance"] = c.header[1:2:2]
	}
}

// after cleans what the backend set after its header: trailers. Ours stay, because some servers write headers late.
func (c *charge) after(h http.Header) {
	scrub(h)
	c.place(h)
}
