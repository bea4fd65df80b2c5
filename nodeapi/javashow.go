package nodeapi

// This file shows an account as the Java connector does: all numbers are strings, and secrets are encrypted.

import (
	"maps"
	"net/http"
	"strconv"
	"time"
)

// javaAccount is the JSON of an account.
type javaAccount struct {
	AccountID           string          `json:"accountId"`
	CreatedAt           *time.Time      `json:"createdAt"`
	ModifiedAt          *time.Time      `json:"modifiedAt"`
	Description         string          `json:"description"`
	AccountRelationship string          `json:"accountRelationship"`
	AssetCode           string          `json:"assetCode"`
	AssetScale          string          `json:"assetScale"`
	MaximumPacketAmount *string         `json:"maximumPacketAmount"`
	LinkType            string          `json:"linkType"`
	ILPAddressSegment   string          `json:"ilpAddressSegment"`
	ConnectionInitiator bool            `json:"connectionInitiator"`
	Internal            bool            `json:"internal"`
	SendRoutes          bool            `json:"sendRoutes"`
	ReceiveRoutes       bool            `json:"receiveRoutes"`
	BalanceSettings     javaBalances    `json:"balanceSettings"`
	RateLimitSettings   javaRateLimit   `json:"rateLimitSettings"`
	Engine              *javaEngine     `json:"settlementEngineDetails"`
	CustomSettings      map[string]any  `json:"customSettings"`
	Links               map[string]href `json:"_links"`
}

type javaBalances struct {
	MinBalance      *string `json:"minBalance"`
	SettleThreshold *string `json:"settleThreshold"`
	SettleTo        string  `json:"settleTo"`
}

type javaRateLimit struct {
	MaxPacketsPerSecond *string `json:"maxPacketsPerSecond"`
}

type javaEngine struct {
	AccountID      *string        `json:"settlementEngineAccountId"`
	BaseURL        string         `json:"baseUrl"`
	CustomSettings map[string]any `json:"customSettings"`
}

type href struct {
	Href string `json:"href"`
}

// showJava returns s as it is answered to r.
func (a *API) showJava(r *request, s Settings) javaAccount {
	asset := a.shownAsset(s)
	sends, receives := s.Routing()
	j := javaAccount{
		AccountID: string(s.ID), CreatedAt: instant(s.Created), ModifiedAt: instant(s.Modified), Description: s.Description,
		AccountRelationship: javaRelation(s.Relation), AssetCode: asset.Code, AssetScale: strconv.Itoa(int(asset.Scale)),
		LinkType: s.javaLink(), ILPAddressSegment: s.javaSegment(), ConnectionInitiator: s.flag("connectionInitiator", true), Internal: s.flag("internal", false),
		SendRoutes: sends, ReceiveRoutes: receives,
		BalanceSettings:   javaBalances{MinBalance: decimal(s.MinBalance), SettleThreshold: decimal(s.SettleThreshold), SettleTo: "0"},
		RateLimitSettings: javaRateLimit{MaxPacketsPerSecond: decimal(s.packetsPerSecond())},
		Engine:            s.Engine.java(), CustomSettings: s.javaCustom(),
		Links: map[string]href{"self": {accountURL(r, s)}},
	}
	if s.MaxPacket != nil {
		text := s.MaxPacket.String()
		j.MaximumPacketAmount = &text
	}
	if s.SettleTo != nil {
		j.BalanceSettings.SettleTo = *decimal(s.SettleTo)
	}
	return j
}

// accountURL is the account's URL as the client that asks would write it.
func accountURL(r *request, s Settings) string {
	path := "/accounts/" + string(s.ID)
	switch {
	case r.Host == "":
		return path
	case r.TLS != nil:
		return "https://" + r.Host + path
	default:
		return "http://" + r.Host + path
	}
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func decimal[N int64 | uint64](n *N) *string {
	if n == nil {
		return nil
	}
	text := strconv.FormatInt(int64(*n), 10)
	if *n > 0 {
		text = strconv.FormatUint(uint64(*n), 10)
	}
	return &text
}

func (e Engine) java() *javaEngine {
	if e.URL == "" {
		return nil
	}
	j := &javaEngine{BaseURL: e.URL, CustomSettings: e.Custom}
	if e.AccountID != "" {
		j.AccountID = &e.AccountID
	}
	if j.CustomSettings == nil {
		j.CustomSettings = map[string]any{}
	}
	return j
}

// javaCustom returns the customSettings to show.
func (s *Settings) javaCustom() map[string]any {
	shown := make(map[string]any, len(s.Custom)+8)
	maps.Copy(shown, s.Custom)
	if len(s.HTTP.Incoming) > 0 {
		s.HTTP.Incoming[0].show(shown, javaIncoming, s.flag(javaIncoming, false))
	}
	s.HTTP.Outgoing.show(shown, javaOutgoing, s.flag(javaOutgoing, false))
	if s.HTTP.URL != "" {
		shown[javaOutgoing+"url"] = s.HTTP.URL
	}
	return shown
}

// show puts the credential, which may be nil, into customSettings.
func (c *Credential) show(shown map[string]any, direction string, older bool) {
	if c == nil {
		return
	}
	put := func(names spelling, value string) {
		delete(shown, direction+names.newer)
		delete(shown, direction+names.older)
		if older {
			shown[direction+names.older] = value
		} else {
			shown[direction+names.newer] = value
		}
	}
	if c.Kind == Simple {
		shown[direction+"auth_type"] = "SIMPLE"
		put(simpleSecret, string(c.Secret))
		return
	}
	shown[direction+"auth_type"] = "JWT_HS_256"
	put(jwtSecret, string(c.Secret))
	put(jwtSubject, c.Subject)
	if c.Lifetime != 0 {
		put(jwtExpiry, formatISODuration(c.Lifetime))
	}
}

// javaPage is a list in the form of HAL. Nothing is paged: all elements are on the first page.
func javaPage(w http.ResponseWriter, name string, list any, size int) {
	pages := min(size, 1)
	writeJSON(w, http.StatusOK, map[string]any{
		"_embedded": map[string]any{name: list},
		"page":      map[string]string{"size": strconv.Itoa(size), "totalElements": strconv.Itoa(size), "totalPages": strconv.Itoa(pages), "number": "0"},
	})
}
