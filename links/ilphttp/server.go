package ilphttp

// This file takes Prepares over HTTP (RFC 35, section "Request").

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/posting"
)

// DefaultInFlight is how many requests of one account a Server works on at once.
const DefaultInFlight = posting.DefaultInFlight

// ErrConfig says that a Server or Client lacks something it cannot do without.
var ErrConfig = errors.New("incomplete ILP-over-HTTP settings")

// Authenticator tells whose bearer token a request shows. account is the one the path names, or "". It compares in constant time.
type Authenticator interface {
	Authenticate(account, bearer string) (ilpcore.AccountID, bool)
}

// ServerConfig is what a Server is made of.
type ServerConfig struct {
	Accounts    Authenticator
	Handler     ilpcore.Handler                                     // gets each Prepare, From being the authenticated account
	MaxInFlight int                                                 // per account; beyond: T03. 0: DefaultInFlight
	Unconfirmed func(account ilpcore.AccountID, paid amount.Amount) // told of each Fulfill that could not be written; nil: nobody
	Logger      *zap.Logger                                         // nil: none
}

// Server is an http.Handler that answers POSTs with a Prepare as body. An ILP Reject is a 200; any other status means that no
// packet was handled.
type Server struct {
	accounts    Authenticator
	handler     ilpcore.Handler
	inFlight    *posting.InFlight
	unconfirmed func(ilpcore.AccountID, amount.Amount)
	logger      *zap.Logger
}

// NewServer returns a Server, or ErrConfig.
func NewServer(c ServerConfig) (*Server, error) {
	if c.Accounts == nil || c.Handler == nil {
		return nil, ErrConfig
	}
	s := &Server{
		accounts: c.Accounts, handler: c.Handler, inFlight: posting.NewInFlight(c.MaxInFlight),
		unconfirmed: c.Unconfirmed, logger: c.Logger,
	}
	if s.unconfirmed == nil {
		s.unconfirmed = func(ilpcore.AccountID, amount.Amount) {}
	}
	if s.logger == nil {
		s.logger = zap.NewNop()
	}
	return s, nil
}

// ServeHTTP serves the account the path names by net/http's wildcard {account}, or whichever the token belongs to.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.ServeAccount(w, r, r.PathValue("account"))
}

// ServeAccount is ServeHTTP for callers with a router of their own. account is the one the path names; "" lets the token decide.
func (s *Server) ServeAccount(w http.ResponseWriter, r *http.Request, account string) {
	from, ok := posting.Login(w, r, s.accounts, account)
	if !ok {
		return
	}
	if !acceptable(r.Header) {
		posting.Refuse(w, http.StatusUnsupportedMediaType, "send the packet as application/octet-stream, not compressed")
		return
	}
	if r.ContentLength > MaxBody {
		posting.Refuse(w, http.StatusRequestEntityTooLarge, tooLarge)
		return
	}
	s.receive(w, r, from)
}

// receive reads and answers one packet, while the account has room for another.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, from ilpcore.AccountID) {
	count, room := s.inFlight.Enter(from)
	defer count.Leave()
	buffer := takeBuffer()
	defer buffer.release()
	if !room {
		busy := ilpcore.Reject(ilpcore.T03, "", "too many requests in flight; wait for answers", nil)
		s.answer(w, r, buffer, &busy)
		return
	}
	body, ok := s.readBody(w, r, buffer)
	if !ok {
		return
	}
	prepare, err := ilpcore.DecodePrepare(body)
	if err != nil {
		posting.Refuse(w, http.StatusBadRequest, "the body is not an ILP Prepare: "+err.Error())
		return
	}
	// A Handler keeps to the expiry by itself, so the packet needs no deadline. It does not end with the connection: what was sent on may be
	// fulfilled, and then the sender owes for it, although it has not heard of that.
	reply := s.handler.HandlePrepare(context.WithoutCancel(r.Context()), ilpcore.Incoming{From: from, Prepare: prepare})
	if reply.Fulfilled && time.Now().After(prepare.ExpiresAt) {
		// The process stood still. The sender has given the packet up, and no answer says both that it was paid and that it was not.
		s.unconfirmed(from, prepare.Amount)
		panic(http.ErrAbortHandler)
	}
	if written := s.answer(w, r, buffer, &reply); !written && reply.Fulfilled {
		s.unconfirmed(from, prepare.Amount)
	}
}

// readBody reads the whole body into the buffer, or refuses the request itself.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, buffer *buffer) (body []byte, ok bool) {
	var err error
	buffer.in, err = posting.ReadRequest(w, r, buffer.in, MaxBody)
	switch {
	case errors.Is(err, posting.ErrTooLarge):
		posting.Refuse(w, http.StatusRequestEntityTooLarge, tooLarge)
	case err != nil:
		posting.Refuse(w, http.StatusBadRequest, "the body could not be read to its end")
	default:
		return buffer.in, true
	}
	return nil, false
}

// answer writes the reply and says whether it went out.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, buffer *buffer, reply *ilpcore.Reply) (written bool) {
	encoded, err := buffer.encode(reply)
	if err != nil {
		s.logger.Error("a reply could not be encoded", zap.Error(err))
		posting.Refuse(w, http.StatusInternalServerError, "internal error")
		return false
	}
	// One piece of memory for all values. no-transform keeps Caddy's encode, and proxies, from compressing.
	h, values := w.Header(), &[...]string{mediaType, strconv.Itoa(len(encoded)), "no-store, no-transform"}
	h["Content-Type"], h["Content-Length"], h["Cache-Control"] = values[0:1:1], values[1:2:2], values[2:3:3]
	if written = posting.Write(w, r, http.StatusOK, encoded); !written {
		buffer.out = nil // which may still be read
	}
	return written
}

var _ http.Handler = (*Server)(nil)
