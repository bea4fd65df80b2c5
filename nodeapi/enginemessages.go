package nodeapi

// This file is between settlement engines and their neighbours': it passes on what they say to each other (RFC 38).

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

const octets = "application/octet-stream"

// sendMessage answers POST /accounts/:id/messages: the body goes to the settlement engine at the other end of the account, and the 201 has what that
// says. 502: it did not answer.
func (a *API) sendMessage(w http.ResponseWriter, r *request) {
	s, err := a.findForEngine(r.PathValue("account"))
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	if r.who.basic && pagesSend(r.Header.Get("Content-Type")) { // as in readFields
		writeProblem(w, problemDetails{Status: http.StatusUnsupportedMediaType, Detail: "send Content-Type: " + octets})
		return
	}
	if len(r.body) > connector.MaxSettleMessage {
		writeProblem(w, problemDetails{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("a message has at most %d bytes", connector.MaxSettleMessage)})
		return
	}
	answer, err := a.node.SendMessage(r.Context(), s.ID, r.body)
	switch {
	case errors.Is(err, connector.ErrMessage):
		writeProblem(w, problemDetails{Status: http.StatusBadGateway, Detail: err.Error()})
	case err != nil:
		a.fail(w, r, err)
	default:
		w.Header().Set("Content-Type", octets)
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(answer) // an engine that left
	}
}

// Message brings what the settlement engine of an account's neighbour says to the account's own, and returns its answer. The error is
// connector.ErrNoEngine, or says why there is no answer.
func (a *API) Message(ctx context.Context, from ilpcore.AccountID, data []byte) ([]byte, error) {
	s, err := a.find(from)
	if err != nil {
		return nil, err
	}
	e := a.EngineOf(s)
	if e.URL == "" || a.settler.client == nil {
		return nil, connector.ErrNoEngine
	}
	return a.settler.client.message(ctx, e, data)
}

// message has the engine answer. Answers longer than a packet are cut after the first byte too many.
func (c *engineClient) message(ctx context.Context, e Engine, data []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, engineURL(e.URL, e.AccountID, "messages"), bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnknown, err)
	}
	r.Header.Set("Content-Type", octets)
	r.Header.Set("Accept", octets)
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnknown, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, connector.MaxSettleMessage+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnknown, err)
	}
	return body, outcomeOf(answer.StatusCode)
}

var _ connector.Messenger = (*API)(nil)
