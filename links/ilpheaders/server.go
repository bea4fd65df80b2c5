package ilpheaders

// This file takes Prepares in ILP headers.

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/posting"
)

const mediaType = "application/octet-stream"

// Authenticator tells whose bearer token a request shows. account is the one the path names, or "". It compares in constant time.
type Authenticator interface {
	Authenticate(account, bearer string) (ilpcore.AccountID, bool)
}

// ServerConfig is what a Server is made of.
type ServerConfig struct {
	Accounts    Authenticator
	Handler     ilpcore.Handler                                     // gets each Prepare, From being the authenticated account
	Self        func() ilpcore.Address                              // this node's address, for ILP-Error-Forwarded-By; nil, or "": it is left out
	MaxInFlight int                                                 // per account; beyond: T03. 0: posting.DefaultInFlight
	Unconfirmed func(account ilpcore.AccountID, paid amount.Amount) // told of each Fulfill that could not be written; nil: nobody
	Logger      *zap.Logger                                         // nil: none
	Now         func() time.Time                                    // nil: time.Now
}

// Server is an http.Handler that answers POSTs with a Prepare in their headers. Every answer has ILP-Fulfillment or ILP-Error-Code, but for
// refusals to read the request: 401, 405 and 415.
type Server struct {
	accounts    Authenticator
	handler     ilpcore.Handler
	self        func() ilpcore.Address
	inFlight    *posting.InFlight
	unconfirmed func(ilpcore.AccountID, amount.Amount)
	logger      *zap.Logger
	now         func() time.Time
	bodies      sync.Pool // of *[]byte
}

// NewServer returns a Server, or ErrConfig.
func NewServer(c ServerConfig) (*Server, error) {
	if c.Accounts == nil || c.Handler == nil {
		return nil, ErrConfig
	}
	s := &Server{
		accounts: c.Accounts, handler: c.Handler, self: c.Self, inFlight: posting.NewInFlight(c.MaxInFlight),
		unconfirmed: c.Unconfirmed, logger: c.Logger, now: c.Now,
	}
	s.bodies.New = func() any { return new([]byte) }
	if s.self == nil {
		s.self = func() ilpcore.Address { return "" }
	}
	if s.unconfirmed == nil {
		s.unconfirmed = func(ilpcore.AccountID, amount.Amount) {}
	}
	if s.logger == nil {
		s.logger = zap.NewNop()
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Wants says whether a POST holds a Prepare in its headers. ILP-Destination alone does not tell: ilp-plugin-http sends it with packets that
// are in the body.
func Wants(h http.Header) bool {
	return len(h[destinationHeader]) > 0 && (len(h[conditionHeader]) > 0 || len(h[amountHeader]) > 0 || len(h[expiryHeader]) > 0)
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
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		posting.Refuse(w, http.StatusUnsupportedMediaType, "send the body as it is, not compressed")
		return
	}
	s.receive(w, r, from)
}

// receive reads and answers one packet, while the account has room for another.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, from ilpcore.AccountID) {
	count, room := s.inFlight.Enter(from)
	defer count.Leave()
	if !room {
		s.refuse(w, r, 0, ilpcore.T03, "too many requests in flight; wait for answers")
		return
	}
	prepare, err := decodeRequest(r.Header)
	if err != nil {
		s.refuse(w, r, 0, ilpcore.F01, err.Error())
		return
	}
	memory := s.bodies.Get().(*[]byte)
	defer s.release(memory)
	var ok bool
	if prepare.Data, ok = s.readBody(w, r, memory); !ok {
		return
	}
	if !s.handle(w, r, ilpcore.Incoming{From: from, Prepare: prepare}) {
		*memory = nil // the answer may be in it, and may still be read
	}
}

// release keeps the memory for the next packet; what is large is left to the collector.
func (s *Server) release(memory *[]byte) {
	if cap(*memory) <= 8<<10 {
		s.bodies.Put(memory)
	}
}

// readBody reads the whole body, or refuses the request itself.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, memory *[]byte) (data []byte, ok bool) {
	err := posting.ErrTooLarge
	if r.ContentLength <= ilpcore.MaxData {
		*memory, err = posting.ReadRequest(w, r, *memory, ilpcore.MaxData)
	}
	switch {
	case errors.Is(err, posting.ErrTooLarge):
		s.refuse(w, r, http.StatusRequestEntityTooLarge, ilpcore.F01, "the body is longer than 32767 bytes")
	case err != nil:
		s.refuse(w, r, 0, ilpcore.F01, "the body could not be read to its end")
	default:
		return *memory, true
	}
	return nil, false
}

// handle answers a packet and says whether the answer went out.
func (s *Server) handle(w http.ResponseWriter, r *http.Request, in ilpcore.Incoming) (written bool) {
	// A connection that breaks does not end the packet: what was sent on may be fulfilled, and then the sender owes for it.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(r.Context()), in.ExpiresAt)
	defer cancel()
	reply := s.handler.HandlePrepare(ctx, in)
	if reply.Fulfilled && s.now().After(in.ExpiresAt) {
		// The process stood still. The sender has given the packet up, and no answer says both that it was paid and that it was not.
		s.unconfirmed(in.From, in.Amount)
		panic(http.ErrAbortHandler)
	}
	if written = s.answer(w, r, 0, &reply); !written && reply.Fulfilled {
		s.unconfirmed(in.From, in.Amount)
	}
	return written
}

// refuse answers with an error of this node's own.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, code ilpcore.Code, message string) {
	reply := ilpcore.Reject(code, string(s.self()), message, nil)
	s.answer(w, r, status, &reply)
}

// answer writes the reply with a status, or the one that fits it for 0, and says whether it went out.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, reply *ilpcore.Reply) (written bool) {
	h := w.Header()
	usual, err := encodeReply(h, reply, s.self(), s.now())
	if err != nil {
		s.logger.Error("a reply could not be encoded", zap.Error(err))
		posting.Refuse(w, http.StatusInternalServerError, "internal error")
		return false
	}
	if status == 0 {
		status = usual
	}
	h["Content-Type"] = []string{mediaType}
	h["Content-Length"] = []string{strconv.Itoa(len(reply.Data))}
	h["Cache-Control"] = []string{"no-store, no-transform"} // no-transform keeps Caddy's encode, and proxies, from compressing
	return posting.Write(w, r, status, reply.Data)
}

var _ http.Handler = (*Server)(nil)
