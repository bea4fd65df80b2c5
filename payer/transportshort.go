package payer

// This file gets along with older servers, koa-ilp and cog, which know tokens of 16 bytes only: the one credits the first 16 bytes of a longer
// token, and so another token than that of the request; the other refuses it.

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

// shortToken is the length of their tokens, in bytes.
const shortToken = 16

// tokenBytes returns the token for the host: as the seed has it, or the first half of that.
func (p *paidRequest) tokenBytes() []byte {
	if p.host.takesShort() {
		return p.token[:shortToken]
	}
	return p.token
}

// wantsShort says whether an answer is that of a server which needs a short token, and notes it.
func (p *paidRequest) wantsShort(response *http.Response) bool {
	if p.host.takesShort() {
		return false
	}
	if response.StatusCode == http.StatusBadRequest && refusesLong(response) || response.StatusCode == http.StatusPaymentRequired && padded(response) {
		p.host.shorten()
		return true
	}
	return false
}

// quotesShort is wantsShort for the answer to OPTIONS, which says what it has to say with any status. Its body is nobody's, so it is cut off as
// discard does it.
func (p *paidRequest) quotesShort(response *http.Response) bool {
	body := response.Body
	cut := time.AfterFunc(discardTime, func() { body.Close() })
	defer cut.Stop()
	if p.wantsShort(response) {
		return true
	}
	if p.host.takesShort() || !padded(response) {
		return false
	}
	p.host.shorten()
	return true
}

// padded says whether the secret in Pay is in base64 with padding, which the seed's base64url has not: so older servers write it.
func padded(response *http.Response) bool {
	fields := strings.Fields(response.Header.Get("Pay"))
	return len(fields) > 2 && strings.HasSuffix(fields[2], "=")
}

// refusesLong reads the beginning of a refusal, and puts it back.
func refusesLong(response *http.Response) bool {
	begin, err := io.ReadAll(io.LimitReader(response.Body, 512))
	rest := io.Reader(response.Body)
	if err != nil {
		rest = failing{err}
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begin), rest), response.Body}
	return bytes.Contains(begin, []byte("Pay-Token")) && bytes.Contains(begin, []byte("16 bytes"))
}

// failing is a reader that has failed.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
