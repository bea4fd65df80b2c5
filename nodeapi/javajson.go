package nodeapi

// This file reads an account from the Java connector's JSON.

import (
	"encoding/json"
	"fmt"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// readJava returns s, which is the account until now or a new one, as f says. What the Java connector has no word for stays as it is; all else
// that f does not say becomes the default. Errors: *FieldError.
func (a *API) readJava(f javaFields, s Settings) (Settings, error) {
	old := s
	s.Description = f.text("description")
	s.Relation = f.relation(old)
	s.Asset = f.asset()
	s.MaxPacket = f.maxPacket()
	sends, receives := defaultRouting(s.Relation)
	s.SendRoutes = unlessDefault(f.boolean("sendRoutes"), sends, old.SendRoutes)
	s.ReceiveRoutes = unlessDefault(f.boolean("receiveRoutes"), receives, old.ReceiveRoutes)
	f.segment(&s)
	f.balances(&s, old)
	f.rateLimit(&s, old)
	f.flags(&s)
	custom := f.custom("customSettings")
	f.link(&s, old, custom)
	engine, hasEngine := f.engine(old.Engine)
	if *f.err != nil {
		return old, *f.err
	}
	if hasEngine {
		if err := a.readEngine(&engine, old.Engine); err != nil {
			return old, err
		}
		s.Engine = engine
	}
	if err := a.readHTTP(&s, custom); err != nil {
		return old, err
	}
	if err := a.sealRest("", custom, old.Custom); err != nil {
		return old, err
	}
	s.Custom = nil
	if len(custom) > 0 {
		s.Custom = custom
	}
	return s, nil
}

// relation returns the word for connector.ParseRelation. One that the Java connector cannot tell from what the account is stays.
func (f javaFields) relation(old Settings) string {
	word := f.required("accountRelationship", "PARENT, PEER or CHILD")
	if old.Relation != "" && word == javaRelation(old.Relation) {
		return old.Relation
	}
	relation, ok := javaRelations[word]
	if !ok {
		f.refuse("accountRelationship", "it is PARENT, PEER or CHILD")
	}
	return relation.String()
}

func (f javaFields) asset() Asset {
	asset := Asset{Code: f.required("assetCode", "a currency, such as USD")}
	scale := f.unsigned("assetScale", 0, maxScale)
	if scale == nil {
		f.refuse("assetScale", "it is required: how many digits after the point the amounts have, from 0 to 255")
		return asset
	}
	asset.Scale = uint8(*scale)
	if !ilpcore.Asset(asset).Valid() {
		f.refuse("assetCode", "an asset code has 1 to 64 bytes without control characters")
	}
	return asset
}

func (f javaFields) maxPacket() *amount.Amount {
	most := f.unsigned("maximumPacketAmount", 0, maxAmount)
	if most == nil {
		return nil
	}
	limit := amount.Amount(*most)
	return &limit
}

// segment reads ilpAddressSegment.
func (f javaFields) segment(s *Settings) {
	segment := f.text("ilpAddressSegment")
	s.Segment, s.Extra = "", withExtra(s.Extra, "ilpAddressSegment", nil)
	switch {
	case !hasSegment(s.Relation):
		if segment != "" && segment != string(s.ID) {
			s.Extra = withExtra(s.Extra, "ilpAddressSegment", mustJSON(segment))
		}
	case segment != "" && segment != string(s.ID):
		s.Segment = segment
		if !ilpcore.ValidSegment(segment) {
			f.refuse("ilpAddressSegment", "it becomes part of an address, so only letters, digits, _, ~ and - are allowed")
		}
	case s.Address == "":
		var ok bool
		if s.Segment, ok = segmentOf(s.ID); !ok {
			f.refuse("ilpAddressSegment", "the accountId cannot be part of an address, so it is required: letters, digits, _, ~ and -")
		}
	}
}

// balances reads balanceSettings.
func (f javaFields) balances(s *Settings, old Settings) {
	b, _ := f.object("balanceSettings")
	s.MinBalance, s.SettleThreshold, s.SettleTo = b.integer("minBalance"), b.integer("settleThreshold"), b.integer("settleTo")
	if s.SettleTo == nil {
		s.SettleTo = new(int64)
	}
	if s.SettleThreshold != nil && *s.SettleThreshold < *s.SettleTo {
		b.refuse("settleThreshold", fmt.Sprintf("it is not below settleTo, which is %d", *s.SettleTo))
	}
	if s.SettleThreshold == nil && *s.SettleTo == 0 {
		s.SettleTo = nil
		if old.SettleThreshold == nil && old.SettleTo != nil && *old.SettleTo == 0 {
			s.SettleTo = old.SettleTo
		}
	}
}

// rateLimit reads rateLimitSettings. A limit per minute that is shown rounded stays when it comes back.
func (f javaFields) rateLimit(s *Settings, old Settings) {
	limits, _ := f.object("rateLimitSettings")
	perSecond := limits.unsigned("maxPacketsPerSecond", 1, maxPacketsPerSecond)
	if shown := old.packetsPerSecond(); perSecond != nil && shown != nil && *perSecond == *shown {
		return
	}
	s.PacketsPerMinute = nil
	if perSecond != nil {
		perMinute := uint32(*perSecond) * 60
		s.PacketsPerMinute = &perMinute
	}
}

// flags reads what changes nothing here and is given back.
func (f javaFields) flags(s *Settings) {
	for name, byDefault := range map[string]bool{"connectionInitiator": true, "internal": false} {
		var value json.RawMessage
		if b := unlessDefault(f.boolean(name), byDefault, nil); b != nil {
			value = mustJSON(*b)
		}
		s.Extra = withExtra(s.Extra, name, value)
	}
}

// link reads linkType.
func (f javaFields) link(s *Settings, old Settings, custom map[string]any) {
	link := f.required("linkType", "ILP_OVER_HTTP, LOOPBACK or PING")
	switch {
	case old.Relation != "" && link == old.javaLink():
		s.Link = old.Link // which may be none; whatever else links the account stays
	case link == LinkHTTP, link == LinkLoopback, link == LinkPing:
		s.Link, s.BTP = link, BTPLink{}
	default:
		f.refuse("linkType", "this node has the link types ILP_OVER_HTTP, LOOPBACK and PING")
	}
	if code, ok := custom["simulatedRejectErrorCode"]; ok && link == LinkLoopback {
		text, _ := code.(string)
		if _, err := ilpcore.ParseCode(text); err != nil {
			f.refuse("customSettings.simulatedRejectErrorCode", "it is an ILP error code, such as T02")
		}
	}
}

// engine reads settlementEngineDetails; ok is false where they are not mentioned, and then stay what they are.
func (f javaFields) engine(old Engine) (engine Engine, ok bool) {
	if _, ok := f.members["settlementEngineDetails"]; !ok {
		return old, false
	}
	details, ok := f.object("settlementEngineDetails")
	if !ok {
		return Engine{}, true
	}
	engine.URL = details.required("baseUrl", "the URL of the settlement engine")
	engine.AccountID = details.text("settlementEngineAccountId")
	if custom := details.custom("customSettings"); len(custom) > 0 {
		engine.Custom = custom
	}
	return engine, true
}

// readEngine checks what f.engine has read, and encrypts its secrets.
func (a *API) readEngine(engine *Engine, old Engine) error {
	const within = "settlementEngineDetails."
	if engine.URL == "" {
		return nil
	}
	if engine.URL != old.URL {
		if err := a.checkEngineURL(within+"baseUrl", engine.URL, true, "https", "http"); err != nil {
			return err
		}
	}
	if len(engine.AccountID) > 256 {
		return &FieldError{Field: within + "settlementEngineAccountId", Why: "it has at most 256 bytes"}
	}
	return a.sealRest(within+"customSettings.", engine.Custom, old.Custom)
}
