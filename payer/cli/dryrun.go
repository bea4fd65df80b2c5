package cli

// This file is `paydoor fetch --dry-run`: it asks, and says what would be paid.

import (
	"errors"
	"fmt"
	"net/http"
	"text/tabwriter"

	"github.com/paydoor/paydoor/payer"
)

// dryPrice is the price in a report.
type dryPrice struct {
	Method  string `json:"method"`
	Price   string `json:"price"`
	Balance string `json:"balance"`
	Due     string `json:"due"`
	Cost    string `json:"cost"`
}

func (f *fetcher) dryRun(r *http.Request) error {
	if r.Body != nil {
		if err := r.Body.Close(); err != nil {
			return err
		}
	}
	price, err := f.transport.Price(r)
	if err != nil {
		err = lost(r.Context(), err, false)
		if price.Priced && ExitStatus(err) == StatusNoAnswer { // the server answered, and the way to pay it is what fails
			err = failure{err, StatusUnpaid}
		}
		return errors.Join(err, f.reportFailure(r, err))
	}
	var refused error
	if price.Cost > 0 {
		refused = f.refused(r, price)
	}
	if chosen(f.cmd, "json") {
		line := f.newReport(r, refused)
		if price.Priced {
			line.Price = &dryPrice{price.Method, price.Price.String(), price.Balance.String(), price.Due.String(), price.Cost.String()}
		}
		return errors.Join(refused, f.write(line))
	}
	return errors.Join(refused, f.printPrice(r, price))
}

// refused says why the payment would not be made.
func (f *fetcher) refused(r *http.Request, price payer.Price) error {
	if f.max != 0 && price.Cost > f.max {
		return failure{fmt.Errorf("%w: it costs %s, and --max is %s", payer.ErrCap, price.Cost, f.max), StatusCap}
	}
	err := f.wallet.Allows(r.URL.Hostname(), price.Cost)
	above, _ := errors.AsType[*payer.CapError](err)
	if err == nil || f.max != 0 && (errors.Is(err, payer.ErrNoMax) || above != nil && above.Cap == "per request") {
		return nil // --max would take the place of what holds now
	}
	return lost(r.Context(), err, false)
}

func (f *fetcher) printPrice(r *http.Request, price payer.Price) error {
	out := tabwriter.NewWriter(f.cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	rows := [][2]string{{"url", f.show.name(r.URL)}}
	if price.Priced {
		rows = append(rows, [2]string{"method", price.Method}, [2]string{"price", price.Price.String()}, [2]string{"balance", price.Balance.String()},
			[2]string{"would pay", price.Due.String()}, [2]string{"which costs", price.Cost.String()})
	} else {
		rows = append(rows, [2]string{"price", "the server tells none"})
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(out, "%s\t%s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return out.Flush()
}
