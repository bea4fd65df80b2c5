package nodeapi

// This file answers what an account's balance is, without a float: the newer dialect's decimal number is written digit by digit.

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/paydoor/paydoor/amount"
)

// rustBalance answers GET /accounts/:username/balance: in base units for seed 001, in whole units with the asset for interledger-rs 1.0.
func (a *API) rustBalance(w http.ResponseWriter, r *request) {
	s, err := a.find(r.account)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	balance, _ := a.books.Balance(s.ID)
	asset := a.shownAsset(s)
	if r.dialect == Rust10 {
		writeJSON(w, http.StatusOK, map[string]any{"balance": wholeUnits(balance.Net(), asset.Scale), "asset_code": asset.Code})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"balance": json.Number(strconv.FormatInt(balance.Net(), 10))})
}

// wholeUnits returns n base units as an exact decimal number of whole units.
func wholeUnits(n int64, scale uint8) json.Number {
	if n < 0 {
		return json.Number("-" + amount.Amount(-uint64(n)).Decimal(scale))
	}
	return json.Number(amount.Amount(n).Decimal(scale))
}
