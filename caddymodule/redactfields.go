package caddymodule

// This file masks the fields of a log entry by their names, at any depth, and remembers the values, so that copies of them elsewhere in
// the entry are found as well.

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// redacted stands where a secret was.
const redacted = "REDACTED"

// maxFound bounds how many values of one entry are looked for elsewhere in it; a client may send any number of header lines.
const maxFound = 16

// confidence is what a field of some name holds.
type confidence int

const (
	public     confidence = iota
	tokenText             // Pay-Token
	quoteText             // Pay: method, address, secret, price
	credential            // Authorization and the like, and the secret of receipts (RFC 39)
)

// confidences lists the headers that are masked. Underscores count as hyphens.
var confidences = []struct {
	name string
	confidence
}{
	{"Pay", quoteText}, {"Pay-Token", tokenText}, {"Authorization", credential}, {"Proxy-Authorization", credential},
	{"Ilp-Fulfillment", credential}, // who reads it while the payment is under way could claim the money
	{"Receipt-Secret", credential},
}

// confidenceOf tells what a field or header holds; FastCGI's names of headers, such as HTTP_PAY_TOKEN, included.
func confidenceOf(key string) confidence {
	if len(key) > 5 && (key[0] == 'H' || key[0] == 'h') && sameName(key[:5], "HTTP-") {
		key = key[5:]
	}
	for _, c := range confidences {
		if len(c.name) == len(key) && sameName(key, c.name) {
			return c.confidence
		}
	}
	return public
}

// sameName compares names of the same length without regard to case.
func sameName(key, name string) bool {
	for i := range len(name) {
		if key[i] != name[i] && lower(key[i]) != lower(name[i]) && (key[i] != '_' || name[i] != '-') {
			return false
		}
	}
	return true
}

// digest tells tokens apart without telling them. It is the same as that of Caddy's own filter hash. The digest of a digest is itself,
// for encoders inside of each other.
func digest(token string) string {
	const size = 4
	if len(token) == hex.EncodedLen(size) {
		if _, err := hex.DecodeString(token); err == nil {
			return token
		}
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:size])
}

// secrets is what one entry tells in confidence, with room for its masked fields.
type secrets struct {
	found  []secret
	fields []zapcore.Field
}

// secret is a value and what is written in its place.
type secret struct{ text, mask string }

// forget returns s to the pool.
func (s *secrets) forget() {
	clear(s.found)
	clear(s.fields)
	s.found, s.fields = s.found[:0], s.fields[:0]
	entrySecrets.Put(s)
}

// field returns the field without secrets.
func (s *secrets) field(f zapcore.Field) zapcore.Field {
	kind := public
	if f.Type != zapcore.InlineMarshalerType && f.Type != zapcore.NamespaceType && f.Type != zapcore.SkipType {
		kind = confidenceOf(f.Key)
	}
	switch f.Type {
	case zapcore.StringType:
		if kind != public {
			f.String = s.mask(kind, f.String)
		}
	case zapcore.ObjectMarshalerType, zapcore.InlineMarshalerType:
		if kind != public {
			return zap.String(f.Key, redacted)
		}
		f.Interface = s.object(f.Interface.(zapcore.ObjectMarshaler))
	case zapcore.ArrayMarshalerType:
		f.Interface = s.array(kind, f.Interface.(zapcore.ArrayMarshaler))
	case zapcore.ReflectType:
		f.Interface = s.reflected(kind, f.Interface)
	case zapcore.ByteStringType, zapcore.BinaryType, zapcore.StringerType, zapcore.ErrorType:
		if kind != public {
			return zap.String(f.Key, redacted)
		}
	}
	return f
}

// object returns the object with its own fields masked, when it comes to be written.
func (s *secrets) object(value zapcore.ObjectMarshaler) zapcore.ObjectMarshaler {
	switch value := value.(type) {
	case caddyhttp.LoggableHTTPRequest:
		if value.Request != nil {
			s.note(value.Header)
		}
	case caddyhttp.LoggableHTTPHeader:
		s.note(value.Header)
	}
	return &maskedObject{value, s}
}

// note remembers the secrets of a header, which a filter may keep from being written, but not what a copy holds.
func (s *secrets) note(header http.Header) {
	for _, c := range confidences {
		for _, value := range header[c.name] {
			s.mask(c.confidence, value)
		}
	}
}

// array returns the array with the fields of its objects masked. The values of a header are masked one by one, and stay of the type
// that Caddy's filters know.
func (s *secrets) array(kind confidence, values zapcore.ArrayMarshaler) zapcore.ArrayMarshaler {
	texts, ok := values.(caddyhttp.LoggableStringArray)
	switch {
	case ok && kind == public:
		return values // not texts, which would be allocated once more
	case ok:
		return s.values(kind, texts)
	case kind == public:
		return &maskedArray{values, s}
	default:
		return caddyhttp.LoggableStringArray{redacted}
	}
}

func (s *secrets) values(kind confidence, texts []string) caddyhttp.LoggableStringArray {
	masked := make(caddyhttp.LoggableStringArray, len(texts))
	for i, text := range texts {
		masked[i] = s.mask(kind, text)
	}
	return masked
}

// reflected masks what is written by reflection: values of confidential fields, and headers. All else is left to the finished line.
func (s *secrets) reflected(kind confidence, value any) any {
	if kind != public {
		return redacted
	}
	header, ok := value.(http.Header)
	if !ok {
		return value
	}
	masked := make(http.Header, len(header))
	for name, values := range header {
		if kind := confidenceOf(name); kind != public {
			values = s.values(kind, values)
		}
		masked[name] = values
	}
	return masked
}

// mask returns what is written in place of a confidential value, and has copies of it found.
func (s *secrets) mask(kind confidence, value string) string {
	switch kind {
	case tokenText:
		if strings.ContainsAny(value, ", ") { // more than one, which is no valid header, but may hold valid tokens
			for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' }) {
				s.remember(part, digest)
			}
		}
		return s.remember(value, digest)
	case quoteText:
		parts := strings.Fields(value)
		if len(parts) < 3 || !strings.HasPrefix(parts[0], "interledger-") {
			return redacted
		}
		parts[2] = s.remember(parts[2], func(string) string { return redacted })
		return strings.Join(parts, " ")
	default:
		return redacted
	}
}

// remember returns the mask of a token or a secret, and has copies of it found if it has the form of one. Anything else is not looked
// for: a client could otherwise send some path in place of a token, and would be missing from the log with it.
func (s *secrets) remember(text string, mask func(string) string) string {
	for _, known := range s.found {
		if known.text == text {
			return known.mask
		}
	}
	masked := mask(text)
	if len(text) >= minOpaque && runOf(opaque, text) == len(text) && len(s.found) < maxFound {
		s.found = append(s.found, secret{text, masked})
	}
	return masked
}

// withoutCopies returns line without the remembered values, and line itself if it has none.
func (s *secrets) withoutCopies(line []byte) []byte {
	for _, known := range s.found {
		if text := []byte(known.text); bytes.Contains(line, text) {
			line = bytes.ReplaceAll(line, text, []byte(known.mask))
		}
	}
	return line
}
