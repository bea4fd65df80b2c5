package nodeapi

// This file is the API: what it is made of, and which handler answers which request.

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/spsp"
)

// Config is what an API is made of. Directory, Node, Books, Rates, Opener, Accounts, AdminToken and Random are required.
type Config struct {
	Directory   *Directory
	Node        *connector.Node
	Books       *connector.Books // the node's
	Rates       *connector.Rates // the node's
	Opener      Opener
	Accounts    Authenticator         // of all accounts, those of the Caddyfile included
	Static      []Settings            // the accounts of the Caddyfile, with Origin; they win over those in the Directory
	Routes      []connector.Route     // of the Caddyfile; they win over those in the Directory
	AdminToken  string                // of the admin: as bearer token, or as the password of the user "admin"
	EngineToken string                // of settlement engines: as bearer token, or as the password of the user "settlement"; "": the admin's alone
	Dialect     Dialect               // in which the admin's bare bearer token is answered
	Sender      Sender                // pays for accounts; nil: POST …/payments is not there
	Quoter      Quoter                // mints how to pay an account; nil: the endpoints of SPSP are not there
	Settled     func(SettlementEvent) // is told of settlements, and does not block; nil: nobody is
	Engines     http.RoundTripper     // reaches settlement engines, and none that must not be called; nil: none is called
	SettleEvery time.Duration         // after which an account is settled that is owed less than its threshold; 0: never
	SPSP        ilpcore.AccountID     // whom /.well-known/pay pays; "": nobody
	Version     string                // what GET / says
	Retention   time.Duration         // how long payments stay in the history of accounts; 0: for ever

	AllowWeakSecrets bool // lets secrets of accounts have less than 32 bytes
	AllowInsecure    bool // lets links go to other machines without TLS
	PublicOnly       bool // refuses settlement engines on this machine and on private networks, where their URLs show it

	Random io.Reader                  // cryptographically secure
	Logger *zap.Logger                // nil: none
	Now    func() time.Time           // nil: time.Now
	Client func(*http.Request) string // the address that questions of SPSP are counted by; nil: Request.RemoteAddr, which may be a proxy's

	// After calls f once d has passed, unless it is stopped before: then stop returns true. nil: time.AfterFunc.
	After func(d time.Duration, f func()) (stop func() bool)
}

// Opener makes accounts work: it opens their links, lets their neighbours in, and puts them into the node.
type Opener interface {
	// Open makes the account work as s says, in place of what was open under its ID. After an error, what was open before still is.
	// It does not wait for a connection. An error that the client can mend is a *FieldError, whose Field is the setting's name in the JSON of
	// Settings, such as http.url.
	Open(s Settings) error
	// Close ends the account's work.
	Close(id ilpcore.AccountID) error
}

// API answers the requests. It is safe for concurrent use.
type API struct {
	directory    *Directory
	node         *connector.Node
	books        *connector.Books
	rates        *connector.Rates
	opener       Opener
	accounts     Authenticator
	static       map[ilpcore.AccountID]Settings
	staticRoutes []connector.Route
	adminToken   string
	engineToken  string
	dialect      Dialect
	sender       Sender
	quoter       Quoter
	spspAccount  ilpcore.AccountID
	version      string
	retention    time.Duration
	random       io.Reader
	logger       *zap.Logger
	now          func() time.Time

	allowWeakSecrets, allowInsecure, publicOnly bool

	hub       *hub
	pingEvery time.Duration // the subscribers of the hub
	askers    spsp.Askers
	client    func(*http.Request) string
	paying    *paying
	settler   *settler
	settled   func(SettlementEvent)
	sweeper   sweeper
	mux       *http.ServeMux
	changing  *sync.Mutex                // the Directory's: one change of accounts, routes or rates at a time
	opened    map[ilpcore.AccountID]bool // the accounts of the Directory that were opened; guarded by changing
	told      map[ilpcore.AccountID]bool // those that could not be, and the log has it; guarded by changing
}

// New checks the settings and returns the API. It opens no account: OpenAccounts does.
func New(c Config) (*API, error) {
	if c.Directory == nil || c.Node == nil || c.Books == nil || c.Rates == nil || c.Opener == nil || c.Accounts == nil || c.AdminToken == "" || c.Random == nil {
		return nil, errors.New("the node's API needs a directory, a node with books and rates, an opener, accounts, an admin token and randomness")
	}
	a := &API{
		directory: c.Directory, node: c.Node, books: c.Books, rates: c.Rates, opener: c.Opener, accounts: c.Accounts, static: make(map[ilpcore.AccountID]Settings),
		staticRoutes: c.Routes, adminToken: c.AdminToken, engineToken: c.EngineToken, dialect: c.Dialect, sender: c.Sender, quoter: c.Quoter, spspAccount: c.SPSP,
		version: c.Version, retention: c.Retention, random: c.Random, logger: c.Logger, now: c.Now,
		allowWeakSecrets: c.AllowWeakSecrets, allowInsecure: c.AllowInsecure, publicOnly: c.PublicOnly, hub: newHub(), pingEvery: incomingPing, paying: newPaying(), mux: http.NewServeMux(),
		changing: &c.Directory.changing, opened: make(map[ilpcore.AccountID]bool), told: make(map[ilpcore.AccountID]bool),
	}
	if a.logger == nil {
		a.logger = zap.NewNop()
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.client = c.Client; a.client == nil {
		a.client = func(r *http.Request) string { return r.RemoteAddr }
	}
	for _, s := range c.Static {
		a.static[s.ID] = s
	}
	var client *engineClient
	if c.Engines != nil {
		client = newEngineClient(c.Engines)
	}
	a.settler, a.settled = newSettler(a, client, c), c.Settled
	a.register()
	return a, nil
}

// Serves says whether the API answers requests for path. Packets and BTP connections, which links answer, are not the API's.
func Serves(path string) bool {
	first, rest, deeper := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "", "rates", "status", "openapi.json":
		return !deeper
	case "accounts", "routes", "settlement", "encryption", "payments":
		return true
	case ".well-known":
		return rest == "pay" || strings.HasPrefix(rest, "pay/")
	}
	return false
}

// ServeHTTP answers a request for a path that Serves.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, pattern := a.mux.Handler(r); pattern == "" {
		h.ServeHTTP(&unknownWriter{ResponseWriter: w}, r)
		return
	}
	a.mux.ServeHTTP(w, r)
}
