package caddymodule

// This file finds secrets in finished log lines by what stands before them: in messages, addresses, dumps of headers, and values that
// were written by reflection. It does not know the line's format; the words it looks for survive all quoting and escaping.

import (
	"bytes"
	"encoding/hex"
	"strings"
)

// Lengths from which a run of characters behind a telling word is taken for a secret. Words of a language are shorter.
const (
	minOpaque     = 22 // tokens and secrets of quotes: 16 bytes in base64url
	minCredential = 16
)

// Bounds of what is looked at behind a word, so that no client makes long work by writing one again and again.
const (
	maxGap      = 16   // between a name and its value
	maxAddress  = 1024 // an ILP address has at most 1023 characters
	maxPassword = 512  // user and password in a URL
)

// scrubbed returns line without what looks like a token or a secret, and line itself if nothing does.
func scrubbed(line []byte) []byte {
	var clean []byte
	done := 0 // up to here, line is in clean
	for i := 0; i < len(line); i++ {
		f := finders[line[i]]
		if f == nil {
			continue
		}
		end := wordEnd(line, i-f.before, f.word)
		if end == 0 {
			continue
		}
		from, to, mask := f.find(line, end)
		if to == 0 || from < done {
			continue
		}
		clean = append(append(clean, line[done:from]...), mask...)
		done, i = to, to-1
	}
	if done == 0 {
		return line
	}
	return append(clean, line[done:]...)
}

// finder knows a word that tells of a secret behind it.
type finder struct {
	word   string
	before int // how many letters of the word stand before the one that the finder is listed under
	// find returns what to mask behind the word, which ends at line[end], or to = 0.
	find func(line []byte, end int) (from, to int, mask string)
}

// finders are listed under the rarest letter of their word, large and small.
var finders = [256]*finder{
	'k': &tokenFinder, 'K': &tokenFinder,
	'c': &secretFinder, 'C': &secretFinder,
	'z': &authorizationFinder, 'Z': &authorizationFinder,
	'b': &bearerFinder, 'B': &bearerFinder,
	'g': &quoteFinder, 'G': &quoteFinder,
	':': &passwordFinder,
	'y': &accountFinder, 'Y': &accountFinder,
}

var (
	tokenFinder         = finder{"token", 2, findToken}
	secretFinder        = finder{"secret", 2, findSecret}
	authorizationFinder = finder{"authorization", 7, findAuthorization}
	bearerFinder        = finder{"bearer", 0, findBearer}
	quoteFinder         = finder{"interledger-", 8, findQuote}
	passwordFinder      = finder{"://", 0, findPassword}
	accountFinder       = finder{"paydoor/accounts/", 2, findAccount}
)

// findToken finds Pay-Token: x, pay_token=x, "token":"x", token x.
func findToken(line []byte, end int) (from, to int, mask string) {
	from, assigned := gap(line, end)
	if from == end {
		return 0, 0, ""
	}
	to = from + runOf(opaque, line[from:])
	if to-from < minOpaque || !assigned && !bytes.ContainsAny(line[from:to], "0123456789") {
		return 0, 0, ""
	}
	return from, to, digest(string(line[from:to]))
}

// findAccount finds a token where a path of the admin endpoint should have the hash of one.
func findAccount(line []byte, end int) (from, to int, mask string) {
	to = end + runOf(opaque, line[end:])
	if _, err := hex.DecodeString(string(line[end:to])); to-end < minOpaque || to-end == 64 && err == nil {
		return 0, 0, ""
	}
	return end, to, digest(string(line[end:to]))
}

// findSecret finds "secret":"x", shared_secret=x.
func findSecret(line []byte, end int) (from, to int, mask string) {
	from, assigned := gap(line, end)
	if !assigned {
		return 0, 0, ""
	}
	if to = from + runOf(opaque|encoded, line[from:]); to-from < minCredential {
		return 0, 0, ""
	}
	return from, to, redacted
}

// findAuthorization finds Authorization: x, and with one of the usual schemes also short values.
func findAuthorization(line []byte, end int) (from, to int, mask string) {
	from, assigned := gap(line, end)
	if !assigned {
		return 0, 0, ""
	}
	least := minCredential
	for _, scheme := range [...]string{"Basic", "Bearer"} {
		after := wordEnd(line, from, scheme)
		if value, _ := gap(line, after); after > 0 && value > after {
			from, least = value, 1
		}
	}
	if to = from + runOf(opaque|encoded|pair, line[from:]); to-from < least {
		return 0, 0, ""
	}
	return from, to, redacted
}

// findBearer finds Bearer x.
func findBearer(line []byte, end int) (from, to int, mask string) {
	if from, _ = gap(line, end); from == end {
		return 0, 0, ""
	}
	if to = from + runOf(opaque|encoded|pair, line[from:]); to-from < minCredential {
		return 0, 0, ""
	}
	return from, to, redacted
}

// findQuote finds the secret of a Pay header, also form-encoded: interledger-psk2 test.address x 10.
func findQuote(line []byte, end int) (from, to int, mask string) {
	from = end
	for range 2 { // the rest of the method, the address
		end = from + runOf(opaque|address, line[from:min(from+maxAddress, len(line))])
		next := blank(line, end)
		if end == from || next == end {
			return 0, 0, ""
		}
		from = next
	}
	if to = from + runOf(opaque, line[from:]); to-from < minOpaque {
		return 0, 0, ""
	}
	return from, to, redacted
}

// findPassword finds scheme://user:x@host.
func findPassword(line []byte, end int) (from, to int, mask string) {
	for i := end; i < len(line) && i < end+maxPassword && !strings.ContainsRune("/?# \t\n\"'<>\\", rune(line[i])); i++ {
		switch {
		case line[i] == ':' && from == 0:
			from = i + 1
		case line[i] == '@':
			to = i
		}
	}
	if from == 0 || to <= from {
		return 0, 0, ""
	}
	return from, to, redacted
}

// wordEnd returns the end of the word that begins at line[at], in any case, or 0.
func wordEnd(line []byte, at int, w string) int {
	if at < 0 || len(line) < at+len(w) {
		return 0
	}
	for i := range len(w) {
		if lower(line[at+i]) != lower(w[i]) {
			return 0
		}
	}
	return at + len(w)
}

// gap returns the end of what can stand between a name and its value, and whether there was more than blanks and quotes, so that
// the name is one that gets a value.
func gap(line []byte, at int) (end int, assigned bool) {
	for end = at; end < len(line) && end < at+maxGap; {
		rest := line[end:]
		switch c := line[end]; {
		case bytes.HasPrefix(rest, []byte("[]string{")): // Go's dump of a header
			end, assigned = end+len("[]string{"), true
		case c == ':' || c == '=' || c == '[' || c == '(':
			end, assigned = end+1, true
		case bytes.HasPrefix(rest, []byte("%3D")), bytes.HasPrefix(rest, []byte("%3A")):
			end, assigned = end+3, true
		case c == '"' || c == '\'' || c == '`' || c == '\\' || blank(line, end) > end:
			end = max(end+1, blank(line, end))
		default:
			return end, assigned
		}
	}
	return end, assigned
}

// blank returns the end of the blanks at line[at], plain or as in a form.
func blank(line []byte, at int) int {
	for at < len(line) {
		switch {
		case line[at] == ' ' || line[at] == '\t' || line[at] == '+':
			at++
		case bytes.HasPrefix(line[at:], []byte("%20")):
			at += 3
		default:
			return at
		}
	}
	return at
}

// alphabet is a set of classes of characters.
type alphabet uint8

const (
	opaque  alphabet = 1 << iota // base64url
	encoded                      // further ones of base64 and JWT
	address                      // further ones of ILP addresses
	pair                         // between user and password
)

// alphabets lists the classes of each character.
var alphabets = func() (of [256]alphabet) {
	for i, class := range [...]string{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", "+/=.", ".~", ":"} {
		for _, c := range class {
			of[c] |= 1 << i
		}
	}
	return of
}()

// runOf returns the length of what text begins with of the alphabet.
func runOf[T string | []byte](a alphabet, text T) int {
	for i := range len(text) {
		if alphabets[text[i]]&a == 0 {
			return i
		}
	}
	return len(text)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
