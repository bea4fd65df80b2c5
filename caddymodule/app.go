package caddymodule

// This file declares the ilp app: the fields of its config, and where its life begins and ends.

import (
	"sync"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/nodeapi"
	"github.com/paydoor/paydoor/paywall"
)

func init() { caddy.RegisterModule(new(App)) }

// App is the Interledger node that receives the payments for every paywall of the server. In the Caddyfile it is the global
// option ilp; see docs/caddyfile.md.
type App struct {
	// DataDir is where balances and generated secrets are kept; one process per directory, on a local file system. Default:
	// Caddy's data directory plus "paydoor".
	DataDir string `json:"data_dir,omitempty"`
	// Address is the node's Interledger address. Default: learned by ILDCP from the parent account; "test.paydoor" with sandbox.
	Address string `json:"address,omitempty"`
	// Asset is what amounts are counted in. Default: USD with scale 9.
	Asset *Asset `json:"asset,omitempty"`
	// Secret is what quotes are sealed with: at least 32 bytes each, the first in use and the others still honoured. Default: one
	// that is generated once into the data directory.
	Secret []string `json:"secret,omitempty"`
	// Accounts are the neighbours of the node.
	Accounts []*Account `json:"accounts,omitempty"`
	// Routes says which account packets for other nodes go to.
	Routes []Route `json:"routes,omitempty"`
	// Rates say what one unit of an asset is worth, by its code and compared with each other: exact decimal numbers above 0. The node's
	// API can replace them. Default: none, and only packets between accounts of the same asset code go through.
	Rates map[string]Decimal `json:"rates,omitempty"`
	// Spread is the part of each amount that the node keeps when it changes money: "2%" or "0.02". Default: none.
	Spread string `json:"spread,omitempty"`
	// AdminToken is what the operator shows to the node's API: as bearer token, or as the password of the user admin. Default: one
	// that is generated once into the data directory.
	AdminToken string `json:"admin_token,omitempty"`
	// DefaultSPSPAccount is whom the payment pointer of the whole site, /.well-known/pay, pays. Default: nobody.
	DefaultSPSPAccount string `json:"default_spsp_account,omitempty"`
	// SettleEvery is how long an account with settle_threshold is owed less than that: then it is settled all the same, down to its
	// settle_to. At least a second. Default: never.
	SettleEvery caddy.Duration `json:"settle_every,omitempty"`
	// Sandbox adds the account "sandbox": a test wallet with play money, reachable from this machine only. Default: false.
	Sandbox bool `json:"sandbox,omitempty"`

	// Durability says when a charge counts: "group" once it is synced to disk, "process" once written, which survives a killed
	// process but may lose the last moment at a power cut. Credits are always synced. Default: "group".
	Durability string `json:"durability,omitempty"`
	// CacheSize is how many balances are kept in memory. Default: 100000.
	CacheSize int `json:"cache_size,omitempty"`
	// Retention is how long each event stays in the history of an account, at least an hour; older ones become sums. Default: for ever.
	Retention caddy.Duration `json:"retention,omitempty"`
	// MinFree is how many bytes of disk must stay free; below, no money is taken. Default: 268435456 (256 MiB).
	MinFree uint64 `json:"min_free,omitempty"`
	// Ballast is the size in bytes of a file in the data directory that is given up to open the ledger on a full disk; -1: no such file.
	// Default: 67108864 (64 MiB), or a quarter of MinFree if that is less.
	Ballast int64 `json:"ballast,omitempty"`
	// MaxBalance is how much one token may hold. Default: no maximum.
	MaxBalance Number `json:"max_balance,omitempty"`

	// AllowWeakSecrets lets link secrets, and the admin token, have less than 32 bytes. Default: false.
	AllowWeakSecrets bool `json:"allow_weak_secrets,omitempty"`
	// Insecure lets links run over plain HTTP or WebSocket to other machines. Default: false.
	Insecure bool `json:"insecure,omitempty"`

	origin

	logger    *zap.Logger
	settings  settings
	announces *announcer
	redacts   bool // a log of the config keeps tokens out of what it writes
	pointers  *paywall.Pointers

	// What the ilp_node handlers say. They are provisioned before anything is opened.
	dialect      nodeapi.Dialect
	dialectOf    string // the word for it; "": nothing said
	allowPrivate bool

	opened  atomic.Pointer[running] // running, for who needs no lock
	mu      sync.Mutex
	running *running
	cleaned bool
}

// Asset is a currency and how finely it is counted: with scale 9, an amount of 1 is a billionth of the code's unit.
type Asset struct {
	Code  string `json:"code"`
	Scale uint8  `json:"scale"`
}

// Route sends what is addressed to Prefix, or below it, to Account. The longest matching prefix wins.
type Route struct {
	Prefix  string `json:"prefix"`
	Account string `json:"account"`
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "ilp", New: func() caddy.Module { return new(App) }}
}
