package paywall

// This file is one price rule: what it may say, how it is written, and how it is checked.

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/paydoor/paydoor/amount"
)

// Rule prices the requests that match its method and path, or makes them free.
//
// Of the rules that match a request the most specific decides: an exact path before a prefix, a longer prefix before a
// shorter, and on the same path a rule with a method before one without. The path thus counts before the method. HEAD is
// priced like GET; a method that no rule names is priced by the rules without a method.
type Rule struct {
	// Method is the request method; empty means every method.
	Method string
	// Path is a decoded path: exact ("/upload"), everything below ("/paid/*"), or empty or "/*" for every path. A price on
	// "/paid/*" covers "/paid" too, and price rules ignore letter case and trailing slashes; free rules match to the letter.
	Path string
	// Price is in base units, from 1: per request, or per byte of its body with PerByte.
	Price amount.Amount
	// PerByte multiplies Price by the body's bytes; an empty body counts as one byte.
	PerByte bool
	// MaxBytes, with PerByte, bounds the body and admits bodies of unknown length: the price of MaxBytes is reserved and the
	// bytes that were read are charged. 0: such bodies get 411, and others are not bounded.
	MaxBytes uint64
	// Free means no charge and no token; Price is then 0.
	Free bool

	longest uint64 // body that can be paid, with PerByte, in bytes; 0: any
}

// ParsePrice reads the arguments of a price line: [<METHOD>] [<path>] <amount> [per_byte [max <bytes>]].
func ParsePrice(args []string) (Rule, error) {
	rule, rest := parseTarget(args)
	if len(rest) == 0 {
		return Rule{}, fmt.Errorf("price: an amount is missing: write price [<METHOD>] [<path>] <amount> [per_byte [max <bytes>]]")
	}
	price, err := amount.Parse(rest[0])
	if err != nil {
		return Rule{}, fmt.Errorf("price %q: %w: write base units such as 10", rest[0], err)
	}
	rule.Price, rest = price, rest[1:]
	if len(rest) > 0 && rest[0] == "per_byte" {
		rule.PerByte, rest = true, rest[1:]
		if len(rest) >= 2 && rest[0] == "max" {
			rule.MaxBytes, err = strconv.ParseUint(rest[1], 10, 63)
			if err != nil || rule.MaxBytes == 0 {
				return Rule{}, fmt.Errorf("max %q: write the largest body in bytes, such as 1000000", rest[1])
			}
			rest = rest[2:]
		}
	}
	if len(rest) > 0 {
		return Rule{}, fmt.Errorf("price: %q is not understood here: write price [<METHOD>] [<path>] <amount> [per_byte [max <bytes>]]", rest[0])
	}
	return rule, rule.validate()
}

// ParseFree reads the arguments of a free line: [<METHOD>] <path>.
func ParseFree(args []string) (Rule, error) {
	rule, rest := parseTarget(args)
	if len(rest) > 0 || rule.Path == "" {
		return Rule{}, fmt.Errorf("free: write free [<METHOD>] <path>, where the path is exact or ends in /*")
	}
	rule.Free = true
	return rule, rule.validate()
}

// parseTarget takes an optional method and an optional path off args.
func parseTarget(args []string) (rule Rule, rest []string) {
	if len(args) > 0 && isMethod(args[0]) {
		rule.Method, args = args[0], args[1:]
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "/") {
		rule.Path, args = args[0], args[1:]
	}
	return rule, args
}

func isMethod(s string) bool {
	for i := 0; i < len(s); i++ {
		if (s[i] < 'A' || s[i] > 'Z') && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

func (r *Rule) validate() error {
	path := strings.TrimSuffix(r.Path, "/*")
	switch {
	case r.Method != "" && !isMethod(r.Method):
		return fmt.Errorf("method %q: write capital letters, such as POST", r.Method)
	case r.Method == "OPTIONS":
		return fmt.Errorf("method OPTIONS asks for prices and has none itself: leave it out")
	case strings.Contains(path, "*"):
		return fmt.Errorf("path %q: a * stands only at the end, after a slash: /paid/*", r.Path)
	case strings.Contains(path, "?"):
		return fmt.Errorf("path %q has a query, which prices do not look at: price the path as for its dearest query, and put a paywall with a matcher for a cheap one, "+
			"such as @cheap expression `{query} == \"preview=1\"`, in front", r.Path)
	case path != "" && ambiguity(path) != "":
		return fmt.Errorf("path %q has %s, and requests with that are refused", r.Path, ambiguity(path))
	case r.Free && (r.Price != 0 || r.PerByte || r.MaxBytes != 0):
		return fmt.Errorf("path %q is free and priced at once", r.Path)
	case r.Free && r.Path == "":
		return fmt.Errorf("free needs a path: write free /* if everything is to be free")
	case !r.Free && r.Price == 0:
		return fmt.Errorf("a price of 0: write free <path> for what costs nothing")
	case r.MaxBytes != 0 && !r.PerByte:
		return fmt.Errorf("max belongs to per_byte")
	}
	if _, ok := r.Price.Mul(max(r.MaxBytes, 1)); !ok {
		return fmt.Errorf("price %s times %d bytes does not fit 64 bits", r.Price, r.MaxBytes)
	}
	return nil
}

// within bounds the rule by the most that a token can hold; 0: any amount.
func (r *Rule) within(most amount.Amount) error {
	r.longest = r.MaxBytes
	switch {
	case most == 0 || r.Free:
		return nil
	case r.Price > most:
		return fmt.Errorf("the price of %s for %s %q could never be paid, since a token can hold %s at most (max_balance): lower it, or raise that",
			r.Price, methodOrAll(r.Method), cmp.Or(r.Path, "/*"), most)
	case r.PerByte:
		if payable := uint64(most / r.Price); r.longest == 0 || payable < r.longest {
			r.longest = payable
		}
	}
	return nil
}
