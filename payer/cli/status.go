package cli

// This file says how a fetch ended: in a sentence, and as an exit status.

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"syscall"

	"github.com/paydoor/paydoor/payer"
)

// What the commands exit with, beside 0: the final answer was 2xx.
const (
	StatusMistake  = 1 // a mistake on the command line, in the configuration or with a file
	StatusNoAnswer = 2 // the server was not reached, did not answer in time, or broke off
	StatusAnswer   = 3 // the final answer is not 2xx
	StatusCap      = 4 // the payment was above a cap, or no maximum is set; nothing was paid
	StatusUnpaid   = 5 // the answer is a 402 that cannot be paid, or the payment failed
	StatusUnknown  = 6 // what became of a part of the payment is unknown; the next fetch finds out before it pays
)

// failure is an error with a status of its own.
type failure struct {
	error
	status int
}

func (f failure) Unwrap() error { return f.error }

// ExitStatus returns what to exit with after a command returned err.
func ExitStatus(err error) int {
	if err == nil {
		return 0
	}
	if f, ok := errors.AsType[failure](err); ok {
		return f.status
	}
	return StatusMistake
}

// printable is an error whose text is for a terminal, whoever wrote it.
type printable struct{ error }

func (p printable) Error() string { return cleanLines(p.error.Error()) }
func (p printable) Unwrap() error { return p.error }

// silent is an error that is not printed.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// lost is the error of a request without an answer; unknown says that some of its money may have been paid. Where ctx is over, that is why there
// is no answer, whatever it broke.
func lost(ctx context.Context, err error, unknown bool) error {
	var inside *url.Error
	if errors.As(err, &inside) {
		err = inside.Err // the URL may hold secrets, and was typed a moment ago
	}
	status := StatusNoAnswer
	switch {
	case unknown || errors.Is(err, payer.ErrUnknown):
		status = StatusUnknown
		err = fmt.Errorf("%w; what became of the payment is unknown: the next fetch asks before it pays", ended(ctx, plain(err)))
	case errors.Is(err, payer.ErrNoMax):
		status = StatusCap
		err = fmt.Errorf("%w: say with --max how much one may cost; it is remembered", err)
	case errors.Is(err, payer.ErrCap):
		status = StatusCap
		err = fmt.Errorf("%w: %s", err, raise(err))
	case errors.Is(err, payer.ErrWallet):
		status = StatusMistake
	case ctx.Err() != nil:
		err = ended(ctx, err)
	case errors.Is(err, payer.ErrUnpaid):
		status = StatusUnpaid
	case errors.Is(err, payer.ErrPlainHTTP):
		status = StatusMistake
		err = errors.New("a Pay-Token is worth money and is not sent over http: to another machine: use https:, or --plain-http if you mean it")
	default:
		err = plain(err)
	}
	return failure{err, status}
}

// ended is why ctx is over, else err.
func ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil:
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errors.New("the time of --max-time is over")
	}
	return errors.New("interrupted")
}

// raise says where the cap is that a payment is above.
func raise(err error) string {
	above, ok := errors.AsType[*payer.CapError](err)
	switch {
	case ok && above.Cap == "per host":
		return "max_per_host in " + configFile + " of the wallet sets it"
	case ok && above.Cap == "per day":
		return "max_per_day in " + configFile + " of the wallet sets it"
	}
	return "--max sets another"
}

// plain says the usual things in words.
func plain(err error) error {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("%w: if it is right all the same, name the file with the authority's certificate in --cacert", err)
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the connection was refused: nothing listens there")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return errors.New("the server closed the connection")
	}
	return err
}

// judge returns the error of a final answer to r that is not 2xx.
func judge(r *http.Request, response *http.Response) error {
	switch {
	case response.StatusCode/100 == 2:
		return nil
	case response.StatusCode == http.StatusPaymentRequired && r.Body != nil && r.GetBody == nil:
		return failure{errors.New("the answer is 402 Payment Required: the body can be sent only once, and the server told no price before it: put it into a file"), StatusUnpaid}
	case response.StatusCode == http.StatusPaymentRequired:
		return failure{fmt.Errorf("the answer is 402 Payment Required: %s", unpayable(response.Header.Values("Pay"))), StatusUnpaid}
	}
	text := fmt.Sprintf("the answer is %s", clean(response.Status))
	if response.StatusCode/100 == 3 && response.Header.Get("Location") != "" {
		text += ": -L follows redirects"
	}
	return failure{errors.New(text), StatusAnswer}
}

// unpayable says why a 402 came back as it is.
func unpayable(pay []string) string {
	if len(pay) == 0 {
		return "it does not say where to pay (no Pay header)"
	}
	var why string
	for _, line := range pay {
		ask, err := payer.ParsePay(line)
		switch {
		case err != nil:
			why = clean(err.Error())
		case ask.Priced:
			return "the request was paid, and the server asks again; the balance may have gone to another request with the same token: run the command again"
		case ask.Method == payer.MethodPSK2:
			why = "it tells no price, and PSK2 cannot ask for one"
		default:
			why = "it tells no price: say with --max how much it may take"
		}
	}
	return why
}
