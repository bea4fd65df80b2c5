package nodeapi

// This file answers a balance to the last unit whatever the dialect, for those who ask for this node's own media type.

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// exactBalance is the media type. {"clearing", "prepaid", "net", "asset_code", "asset_scale"}: the first three are decimal strings of base
// units, positive where the node owes the account.
const exactBalance = "application/vnd.paydoor+json"

// exactly answers in exactBalance where Accept has it, and else as the dialect does.
func (a *API) exactly(other handler) handler {
	return func(w http.ResponseWriter, r *request) {
		s, err := a.find(r.account)
		if err != nil || !accepts(r.Header, exactBalance) {
			other(w, r)
			return
		}
		balance, _ := a.books.Balance(s.ID) // none yet is a balance of 0
		asset := a.shownAsset(s)
		number := func(n int64) string { return strconv.FormatInt(n, 10) }
		writeAnswer(w, http.StatusOK, mustJSON(map[string]any{
			"clearing": number(balance.Clearing), "prepaid": number(balance.Prepaid), "net": number(balance.Net()),
			"asset_code": asset.Code, "asset_scale": asset.Scale,
		}))
	}
}

// accepts says whether Accept names the media type itself; that anything is accepted leaves the choice to the dialect.
func accepts(h http.Header, media string) bool {
	for _, line := range h.Values("Accept") {
		for part := range strings.SplitSeq(line, ",") {
			if named, parameters, err := mime.ParseMediaType(part); err == nil && named == media && parameters["q"] != "0" {
				return true
			}
		}
	}
	return false
}
