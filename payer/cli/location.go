package cli

// This file keeps an answer that redirects to what is no URL: http.Client would throw it away, paid or not, and show where it led.

import (
	"net/http"

	"github.com/paydoor/paydoor/payer"
)

// whole is the transport of the client. The Location of such an answer gets a name that http.Client does not look for, so that it is the final one.
type whole struct{ *payer.Transport }

// RoundTrip passes the request on.
func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := w.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if _, err := r.URL.Parse(response.Header.Get("Location")); err != nil {
		response.Header["location"] = response.Header["Location"]
		delete(response.Header, "Location")
	}
	return response, nil
}
