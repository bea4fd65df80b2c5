package paywall

// This file is what the paywall says when it answers itself: application/problem+json (RFC 9457), or a small page for people.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"github.com/paydoor/paydoor/amount"
)

// problem is an answer other than success. Amounts are decimal strings, because 64 bits do not fit the numbers of many parsers.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`

	Price     string        `json:"price,omitempty"`
	Balance   string        `json:"balance,omitempty"`
	Shortfall string        `json:"shortfall,omitempty"`
	Asset     *assetProblem `json:"asset,omitempty"`
	Pay       *payProblem   `json:"pay,omitempty"`
	Pointer   string        `json:"payment_pointer,omitempty"`
	Endpoint  string        `json:"spsp_endpoint,omitempty"`
	PayToken  string        `json:"pay_token,omitempty"`
	Steps     []string      `json:"steps,omitempty"`
	ID        string        `json:"id,omitempty"`      // of RFC 9
	Message   string        `json:"message,omitempty"` // of RFC 9

	retryAfter string
}

type assetProblem struct {
	Code  string `json:"code"`
	Scale uint8  `json:"scale"`
}

type payProblem struct {
	Method  Method `json:"method"`
	Address string `json:"address"`
	Secret  string `json:"secret"`
}

func newProblem(slug string, status int, detail string) *problem {
	return &problem{Type: "urn:paydoor:problem:" + slug, Title: http.StatusText(status), Status: status, Detail: detail}
}

var (
	badToken = newProblem("bad-token", 400,
		"Pay-Token is not valid: send 22 to 86 characters of unpadded base64url (16 to 64 random bytes). Nothing was charged.")
	manyTokens    = newProblem("bad-token", 400, "There is more than one Pay-Token header: send exactly one. Nothing was charged.")
	badConnection = newProblem("bad-connection", 400,
		"The Connection header names a Pay header, which would remove it on the way: leave it out. Nothing was charged.")
	lengthRequired = newProblem("length-required", 411,
		"This price counts bytes: send the body with a Content-Length, not chunked. Nothing was charged.")
	queryLengthRequired = newProblem("length-required", 411,
		"This price counts bytes: ask again with Unhash-Content-Length set to the length of the body that you will send.")
	badQueryLength = newProblem("bad-length", 400, "Unhash-Content-Length is not a plain decimal number of bytes: send one, such as 123.")
	tooEarly       = newProblem("too-early", http.StatusTooEarly,
		"The request came before the TLS handshake was complete, when others could repeat it at your cost: send it again. Nothing was charged.")
	priceOverflow = newProblem("too-large", 413, "The price of a body this long does not fit 64 bits: send a smaller one. Nothing was charged.")
	backend402    = newProblem("backend-payment-required", 502,
		"The server behind this paywall asked for another payment, which this paywall cannot make. Your payment was given back.")
	unsettled = &problem{Type: "urn:paydoor:problem:unsettled", Title: http.StatusText(503), Status: 503,
		Detail:     "The answer was ready, but its charge could not be recorded, so it is withheld. Try again; Pay-Balance will tell what was charged.",
		retryAfter: "5"}
	ledgerUnavailable = &problem{Type: "urn:paydoor:problem:unavailable", Title: http.StatusText(503), Status: 503,
		Detail: "Balances cannot be read or charged at the moment. Nothing was charged: try again.", retryAfter: "1"}
	noAddress = &problem{Type: "urn:paydoor:problem:no-address", Title: http.StatusText(503), Status: 503,
		Detail:     "Payments cannot be received at the moment, because this server is not connected to the Interledger network. Nothing was charged: try again.",
		retryAfter: "5"}
)

func badPath(why string) *problem {
	return newProblem("bad-path", 400,
		"The path contains "+why+", which servers read in different ways: send it in its plain form. Nothing was charged.")
}

func tooLarge(maxBytes uint64) *problem {
	return newProblem("too-large", 413, "The body is too long: send at most "+strconv.FormatUint(maxBytes, 10)+" bytes. Nothing was charged.")
}

// paymentRequired describes a 402: what is missing, where to pay it and what to do then.
func (p *Paywall) paymentRequired(t *token, minted bool, price, balance amount.Amount, method Method, q Quote, at topUp) *problem {
	shortfall, _ := price.Sub(balance)
	prob := newProblem("payment-required", http.StatusPaymentRequired,
		fmt.Sprintf("This request costs %s and your balance is %s: pay at least %s, then send it again.", price, balance, shortfall))
	prob.Price, prob.Balance, prob.Shortfall = price.String(), balance.String(), shortfall.String()
	prob.Pay = &payProblem{method, q.Address, q.Secret}
	prob.Pointer, prob.Endpoint = at.pointer, at.endpoint
	unit := "base units"
	if asset, ok := p.asset(); ok {
		prob.Asset = &assetProblem{asset.Code, asset.Scale}
		unit = fmt.Sprintf("base units of %[1]s (scale %[2]d: %[3]s %[1]s)", asset.Code, asset.Scale, shortfall.Decimal(asset.Scale))
	}
	again := "Send this request again with the same Pay-Token header."
	if minted {
		prob.PayToken = t.text()
		again = "Send this request again with the header Pay-Token: " + prob.PayToken + " (keep it: it is the key to your balance)."
	}
	wallet := ""
	switch {
	case at.pointer != "":
		wallet = ", or from any wallet to the payment pointer " + at.pointer
	case at.endpoint != "":
		wallet = ", or from any SPSP wallet to " + at.endpoint
	}
	prob.Steps = []string{
		fmt.Sprintf("Pay %s or more %s over Interledger (%s) to the address and secret given here%s; what is left stays on your balance.",
			shortfall, unit, method, wallet),
		again,
	}
	return prob
}

// write sends the problem as JSON, or as a page where the request's Accept prefers HTML. Other headers are set already.
func (prob *problem) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	var body []byte
	if prefersHTML(r.Header["Accept"]) {
		h["Content-Type"] = []string{"text/html; charset=utf-8"}
		h["Content-Security-Policy"] = []string{"default-src 'none'; style-src 'unsafe-inline'"}
		body = prob.page()
	} else {
		h["Content-Type"] = []string{"application/problem+json"}
		body, _ = json.Marshal(prob) // strings and integers only: it cannot fail
		body = append(body, '\n')
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	if leavesBody(r) {
		h["Connection"] = []string{"close"}
	}
	if prob.retryAfter != "" {
		h["Retry-After"] = []string{prob.retryAfter}
	}
	w.WriteHeader(prob.Status)
	w.Write(body) // a client that left is no concern of the answer
}

// maxDrain is how much of an unwanted body a server reads to keep a connection, in bytes; so does net/http.
const maxDrain = 256 << 10

// leavesBody says whether the body that r announces is better left unread. On HTTP/1 the server would first try to read it, and a
// client that waits for 100 Continue would wait for ever.
func leavesBody(r *http.Request) bool {
	return r.ProtoMajor == 1 && (len(r.Header["Expect"]) > 0 || r.ContentLength < 0 || r.ContentLength > maxDrain)
}

var pageTemplate = template.Must(template.New("problem").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{.Status}} {{.Title}}</title>
<style>body{font:1rem/1.5 sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}dd{margin:0 0 .5rem}dd,li{overflow-wrap:anywhere}dt{font-weight:bold}</style>
<h1>{{.Title}}</h1>
<p>{{.Detail}}</p>
{{with .Steps}}<ol>{{range .}}<li>{{.}}</li>{{end}}</ol>
{{end}}{{with .Pay}}<dl><dt>Method</dt><dd>{{.Method}}</dd><dt>Address</dt><dd>{{.Address}}</dd><dt>Secret</dt><dd>{{.Secret}}</dd>
{{with $.Pointer}}<dt>Payment pointer</dt><dd>{{.}}</dd>
{{else}}{{with $.Endpoint}}<dt>SPSP endpoint</dt><dd>{{.}}</dd>
{{end}}{{end}}</dl>
<p>A browser does not send Pay-Token by itself. In a terminal, <code>paydoor fetch</code> and the address of this page pays and prints the answer.</p>
{{end}}</html>
`))

func (prob *problem) page() []byte {
	var b bytes.Buffer
	_ = pageTemplate.Execute(&b, prob) // the template is fixed and the buffer takes everything
	return b.Bytes()
}
