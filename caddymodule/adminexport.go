package caddymodule

// This file answers GET /paydoor/accounts: all accounts as JSON lines, with or without their history.

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

// exportedAccount is one line. With history, a line of exportedEvent for each event of the account follows.
type exportedAccount struct {
	Account string `json:"account"`
	Balance string `json:"balance"`
	Asset   string `json:"asset"`
	Scale   uint8  `json:"scale"`
}

type exportedEvent struct {
	Account string `json:"account"`
	eventAnswer
}

func (a *adminRoutes) export(w http.ResponseWriter, r *http.Request) error {
	b, held, err := adminLease()
	if err != nil {
		return err
	}
	defer held.end()
	e := export{books: b, request: r, history: r.URL.Query().Get("history") == "1", lines: json.NewEncoder(&patient{w})}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if err := e.write(); err != nil {
		cutOff("exporting the accounts", err)
	}
	return nil
}

// cutOff ends an answer whose beginning may be out already. Only a broken connection tells its reader that this is not all.
func cutOff(what string, err error) {
	pooledLogger().Error(what, zap.Error(err))
	panic(http.ErrAbortHandler)
}

// export is one that is under way.
type export struct {
	books   *books
	request *http.Request
	history bool
	lines   *json.Encoder
}

// exportPage is how many accounts are read at a time: histories must not be read while a view of the accounts is open.
const exportPage = 1000

var errPageFull = errors.New("the page is full")

// holding is an account and what it has.
type holding struct {
	account balances.Account
	balance amount.Amount
}

func (e *export) write() error {
	var last *balances.Account
	for {
		page, err := e.page(last)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, h := range page {
			if err := e.account(h); err != nil {
				return err
			}
		}
		last = &page[len(page)-1].account
	}
}

// page returns the accounts after the given one.
func (e *export) page(after *balances.Account) (page []holding, err error) {
	err = e.books.ledger.EachAfter(e.request.Context(), after, func(account balances.Account, balance amount.Amount) error {
		if len(page) == exportPage {
			return errPageFull
		}
		page = append(page, holding{account, balance})
		return nil
	})
	if errors.Is(err, errPageFull) {
		err = nil
	}
	return page, err
}

func (e *export) account(h holding) error {
	asset, _ := e.books.ledger.Asset()
	name := hex.EncodeToString(h.account[:])
	err := e.lines.Encode(exportedAccount{Account: name, Balance: h.balance.String(), Asset: asset.Code, Scale: asset.Scale})
	if err != nil || !e.history {
		return err
	}
	return e.books.ledger.History(e.request.Context(), h.account, func(event balances.Event) error {
		return e.lines.Encode(exportedEvent{name, eventOf(event)})
	})
}

// patience is how long a reader may keep a part of a long answer waiting. Who has gone to sleep must not keep the ledger open for ever.
const patience = 30 * time.Second

// patient writes to a client that gets patience anew for each write.
type patient struct{ http.ResponseWriter }

func (p *patient) Write(b []byte) (int, error) {
	err := http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(patience))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

var _ io.Writer = (*patient)(nil)
