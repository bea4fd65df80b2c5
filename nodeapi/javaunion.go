package nodeapi

// This file says in the Java connector's words what an account has that the connector knows under another name, or not at all.

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// The relations that the Java connector knows. Accounts of users and of parties inside this process are its children, too.
var javaRelations = map[string]connector.Relation{"PARENT": connector.Parent, "PEER": connector.Peer, "CHILD": connector.Child}

func javaRelation(word string) string {
	switch word {
	case connector.Parent.String():
		return "PARENT"
	case connector.Peer.String():
		return "PEER"
	default:
		return "CHILD"
	}
}

// Routing says whether the node tells the account routes, and takes routes from it: as set, or as its relation has it.
func (s *Settings) Routing() (sends, receives bool) {
	sends, receives = defaultRouting(s.Relation)
	if s.SendRoutes != nil {
		sends = *s.SendRoutes
	}
	if s.ReceiveRoutes != nil {
		receives = *s.ReceiveRoutes
	}
	return sends, receives
}

func defaultRouting(word string) (sends, receives bool) {
	relation, err := connector.ParseRelation(word)
	if err != nil {
		return false, false // which is refused elsewhere
	}
	return relation.Routing()
}

// unlessDefault is the pointer that says b: none where that is the default, and was not said until now.
func unlessDefault(b *bool, byDefault bool, old *bool) *bool {
	switch {
	case b != nil && old != nil && *b == *old:
		return old
	case b == nil || *b == byDefault:
		return nil
	default:
		return b
	}
}

// javaLink is the account's link type; "BTP", which the Java connector once had, for accounts that are linked by BTP alone.
func (s *Settings) javaLink() string {
	switch {
	case s.Link != "":
		return s.Link
	case s.HTTP.URL == "" && len(s.HTTP.Incoming) == 0 && s.BTP != (BTPLink{}):
		return "BTP"
	default:
		return LinkHTTP
	}
}

// hasSegment says whether accounts of the relation have an address below the node's, which ends in a segment of their own.
func hasSegment(relation string) bool {
	return relation != connector.Parent.String() && relation != connector.Peer.String()
}

// javaSegment is what the account's address ends in. The Java connector has one for peers and parents as well, where it says nothing.
func (s *Settings) javaSegment() string {
	var text string
	if s.Segment != "" {
		return s.Segment
	}
	if json.Unmarshal(s.Extra["ilpAddressSegment"], &text) == nil {
		return text
	}
	return string(s.ID)
}

// segmentOf is the segment of an account where none is given: "" for its ID, and without the dots where it has some, as the Java connector
// has it. ok is false where nothing is left.
func segmentOf(id ilpcore.AccountID) (segment string, ok bool) {
	if ilpcore.ValidSegment(string(id)) {
		return "", true
	}
	segment = strings.ReplaceAll(string(id), ".", "")
	return segment, ilpcore.ValidSegment(segment)
}

// packetsPerSecond is the rate limit, at least 1.
func (s *Settings) packetsPerSecond() *uint64 {
	if s.PacketsPerMinute == nil {
		return nil
	}
	n := max(uint64(*s.PacketsPerMinute)/60, 1)
	return &n
}

// flag returns a setting that changes nothing here.
func (s *Settings) flag(name string, byDefault bool) bool {
	b := byDefault
	if json.Unmarshal(s.Extra[name], &b) != nil {
		return byDefault
	}
	return b
}

// withExtra returns extra with value under name; nil takes it out. Nobody changes a map that is inside Settings.
func withExtra(extra map[string]json.RawMessage, name string, value json.RawMessage) map[string]json.RawMessage {
	next := maps.Clone(extra)
	if value == nil {
		delete(next, name)
	} else {
		if next == nil {
			next = make(map[string]json.RawMessage)
		}
		next[name] = value
	}
	if len(next) == 0 {
		return nil
	}
	return next
}
