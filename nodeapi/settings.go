package nodeapi

// This file says what is kept of an account that the API has made: the union of what both dialects can say.

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// Form is the dialect in which an account was made; it decides how its holder is answered.
type Form string

// The forms of accounts.
const (
	FormJava Form = "java" // the Java connector's
	FormRust Form = "rust" // interledger-rs'
)

// The kinds of credentials of ILP over HTTP.
const (
	Simple   = "simple"    // the secret itself is the bearer token
	JWTHS256 = "jwt_hs256" // the bearer token is a JSON Web Token signed with the secret
)

// The link types of the Java connector that this node has.
const (
	LinkHTTP     = "ILP_OVER_HTTP"
	LinkLoopback = "LOOPBACK" // fulfills with 32 zero bytes whatever is sent to it
	LinkPing     = "PING"     // fulfills pings
)

// Settings is an account. Pointers are nil where nothing was said; secrets are encrypted.
type Settings struct {
	ID          ilpcore.AccountID `json:"id"`
	Form        Form              `json:"form"`
	UUID        string            `json:"uuid"`     // what interledger-rs calls id; settlement engines know the account by it
	Relation    string            `json:"relation"` // connector.ParseRelation
	Asset       Asset             `json:"asset"`
	Description string            `json:"description,omitempty"`
	Address     ilpcore.Address   `json:"address,omitempty"` // "": the node's, and Segment or the ID below it
	Segment     string            `json:"segment,omitempty"`

	MaxPacket        *amount.Amount `json:"max_packet,omitempty"`
	PacketsPerMinute *uint32        `json:"packets_per_minute,omitempty"`
	AmountPerMinute  *amount.Amount `json:"amount_per_minute,omitempty"`
	RoundTrip        *uint32        `json:"round_trip,omitempty"` // milliseconds
	MinBalance       *int64         `json:"min_balance,omitempty"`
	SettleThreshold  *int64         `json:"settle_threshold,omitempty"`
	SettleTo         *int64         `json:"settle_to,omitempty"`
	SendRoutes       *bool          `json:"send_routes,omitempty"`    // nil: as the relation has it
	ReceiveRoutes    *bool          `json:"receive_routes,omitempty"` // nil: as the relation has it

	Link   string         `json:"link,omitempty"` // the linkType of the Java connector; "" of other forms
	HTTP   HTTPLink       `json:"http,omitzero"`
	BTP    BTPLink        `json:"btp,omitzero"`
	Engine Engine         `json:"engine,omitzero"`
	Custom map[string]any `json:"custom,omitempty"` // customSettings that nothing here uses, flat keys, secrets encrypted; only the Java form gives them back

	// Extra are settings of the Java connector that change nothing here and are given back as they came, and in which spelling its keys
	// came.
	Extra map[string]json.RawMessage `json:"extra,omitempty"`

	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`

	// Origin is where in a Caddyfile the account is written, FILE:LINE. Such accounts are not kept, and the API cannot change them.
	Origin string `json:"-"`
}

// settleTo is the balance that a settlement leaves.
func (s Settings) settleTo() int64 {
	if s.SettleTo == nil {
		return 0
	}
	return *s.SettleTo
}

// Asset is what an account counts.
type Asset struct {
	Code  string `json:"code"`
	Scale uint8  `json:"scale"`
}

// HTTPLink is ILP over HTTP: what the neighbour shows us, and where and with what we send.
type HTTPLink struct {
	URL      string       `json:"url,omitempty"`
	Incoming []Credential `json:"incoming,omitempty"`
	Outgoing *Credential  `json:"outgoing,omitempty"` // nil with a URL: an empty bearer token, as interledger-rs sends
}

// BTPLink is BTP over WebSocket: with URL the node dials, with Incoming the neighbour may.
type BTPLink struct {
	URL      string `json:"url,omitempty"`
	Incoming Sealed `json:"incoming,omitempty"` // auth_token of the neighbour
	Outgoing Sealed `json:"outgoing,omitempty"` // auth_token of ours
}

// Credential is a secret and what it is used for.
type Credential struct {
	Kind     string        `json:"kind"` // Simple or JWTHS256
	Subject  string        `json:"subject,omitempty"`
	Secret   Sealed        `json:"secret"`
	Lifetime time.Duration `json:"lifetime,omitempty"` // of the tokens we sign; 0: the link's default
}

// Engine is the account's settlement engine.
type Engine struct {
	URL       string         `json:"url,omitempty"`
	AccountID string         `json:"account_id,omitempty"` // how the engine knows it; "": the UUID
	Custom    map[string]any `json:"custom,omitempty"`
}

// ErrSettings says that settings cannot be used; the error that wraps it says what to write instead. Field names the wrong one.
var ErrSettings = errors.New("invalid account settings")

// FieldError is an ErrSettings about one field, by the name that the client used.
type FieldError struct {
	Field string // "" where no single one is wrong
	Why   string // what to write instead
}

// Error says which field is wrong, and why.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%v: %s", ErrSettings, e.Why)
	}
	return fmt.Sprintf("%v: %s: %s", ErrSettings, e.Field, e.Why)
}

// Unwrap makes a FieldError an ErrSettings.
func (e *FieldError) Unwrap() error { return ErrSettings }

// ValidID says whether id can name an account: 1 to 64 letters, digits and - _ . ~, the union of what both nodes allow; not . and .., which
// no path of a URL can hold.
func ValidID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, idCharacters) == "" && id != "." && id != ".."
}

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
