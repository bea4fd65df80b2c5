package nodeapi

// This file says in a client's own words which setting could not be used: what opens accounts names settings as their JSON does.

import "errors"

// fieldNames are the names of settings in both dialects, by those that an Opener says; "" where a dialect has no word.
var fieldNames = map[string]struct{ rust, java string }{
	"id":                 {"username", "accountId"},
	"relation":           {"routing_relation", "accountRelationship"},
	"asset":              {"asset_code", "assetCode"},
	"max_packet":         {"max_packet_amount", "maximumPacketAmount"},
	"amount_per_minute":  {"amount_per_minute_limit", ""},
	"packets_per_minute": {"packets_per_minute_limit", "rateLimitSettings.maxPacketsPerSecond"},
	"round_trip":         {"round_trip_time", ""},
	"link":               {"routing_relation", "linkType"}, // it does not fit the relation, which interledger-rs can change
	"http.url":           {"ilp_over_http_url", javaOutgoing + "url"},
	"http.incoming":      {"ilp_over_http_incoming_token", javaIncoming},
	"http.outgoing":      {"ilp_over_http_outgoing_token", javaOutgoing},
	"btp.url":            {"ilp_over_btp_url", ""},
	"btp.incoming":       {"ilp_over_btp_incoming_token", ""},
	"btp.outgoing":       {"ilp_over_btp_outgoing_token", ""},
}

// inRust returns err with the member that the client of interledger-rs knows.
func inRust(err error) error {
	var field *FieldError
	if !errors.As(err, &field) || fieldNames[field.Field].rust == "" {
		return err
	}
	return &FieldError{Field: fieldNames[field.Field].rust, Why: field.Why}
}

// inJava returns err with the member or key of s that the client of the Java connector knows; without one where it knows none.
func (s *Settings) inJava(err error) error {
	var field *FieldError
	if !errors.As(err, &field) {
		return err
	}
	names, internal := fieldNames[field.Field]
	switch {
	case !internal:
		return err
	case names.java == "":
		return &FieldError{Why: field.Field + ": " + field.Why}
	case names.java == javaIncoming && len(s.HTTP.Incoming) > 0:
		names.java += s.HTTP.Incoming[0].secretKey(s.flag(javaIncoming, false))
	case names.java == javaOutgoing && s.HTTP.Outgoing != nil:
		names.java += s.HTTP.Outgoing.secretKey(s.flag(javaOutgoing, false))
	}
	return &FieldError{Field: names.java, Why: field.Why}
}

// secretKey is the key of a credential's secret after javaIncoming or javaOutgoing.
func (c Credential) secretKey(older bool) string {
	names := jwtSecret
	if c.Kind == Simple {
		names = simpleSecret
	}
	if older {
		return names.older
	}
	return names.newer
}
