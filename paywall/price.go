package paywall

// This file finds the rule that prices a request, by path first and method second.

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/paydoor/paydoor/amount"
)

// priceTable looks rules up without walking through them: one map for exact paths and one for prefixes, for prices (by
// folded path) and for freedom (by exact path).
type priceTable struct {
	priced, free patterns
	freeRule     *Rule
	only         *Rule // the one price for everything, if there is no other rule
}

// patterns are rules by path and method; the method "" is every method.
type patterns struct {
	exact, below map[string]map[string]*Rule
}

// newPriceTable makes the table of the rules, for tokens that hold at most most; 0: any amount.
func newPriceTable(rules []Rule, most amount.Amount) (*priceTable, error) {
	t := &priceTable{
		priced:   patterns{map[string]map[string]*Rule{}, map[string]map[string]*Rule{}},
		free:     patterns{map[string]map[string]*Rule{}, map[string]map[string]*Rule{}},
		freeRule: &Rule{Free: true},
	}
	seen := map[string]bool{}
	for _, rule := range rules {
		if err := rule.validate(); err != nil {
			return nil, fmt.Errorf("paywall: %w", err)
		}
		if err := rule.within(most); err != nil {
			return nil, fmt.Errorf("paywall: %w", err)
		}
		path, prefix := strings.CutSuffix(rule.Path, "/*")
		prefix = prefix || rule.Path == ""
		// Rules that differ only in what folding removes would leave it to chance which one decides.
		key := fmt.Sprint(rule.Method, " ", foldPath(path), " ", prefix)
		if seen[key] {
			return nil, fmt.Errorf("paywall: two rules for %s %q: keep one", methodOrAll(rule.Method), cmp.Or(rule.Path, "/*"))
		}
		seen[key] = true
		if rule.Free {
			t.free.add(path, prefix, &rule)
		} else {
			t.priced.add(foldPath(path), prefix, &rule)
		}
	}
	if len(rules) == 1 {
		t.only = t.priced.below[""][""]
	}
	if t.priced.below[""][""] == nil && t.free.below[""][""] == nil {
		return nil, errors.New("paywall: no rule covers every path: write price <amount>, or free /*")
	}
	return t, nil
}

func methodOrAll(method string) string {
	if method == "" {
		return "all methods of"
	}
	return method
}

func (p *patterns) add(path string, prefix bool, rule *Rule) {
	table := p.exact
	if prefix {
		table = p.below
	}
	if table[path] == nil {
		table[path] = map[string]*Rule{}
	}
	table[path][rule.Method] = rule
}

// find returns the rule for a request with a path that passed checkPath. It never returns nil.
func (t *priceTable) find(method, path string) *Rule {
	if t.only != nil {
		return t.only
	}
	rule, weight := t.priced.match(strings.ToUpper(method), foldPath(path), false)
	if _, freedom := t.free.match(method, path, true); freedom > weight {
		return t.freeRule
	}
	return rule
}

// pricedMethod is the method that counts for r: an extended CONNECT, a WebSocket over HTTP/2 (RFC 8441) or HTTP/3 (RFC
// 9220), does what GET does over HTTP/1.1.
func pricedMethod(r *http.Request) string {
	if tunnelled(r) != "" {
		return http.MethodGet
	}
	return r.Method
}

// tunnelled is the protocol of an extended CONNECT, "" for every other request. Servers show it in a pseudo-header or in place of the HTTP
// version.
func tunnelled(r *http.Request) string {
	switch protocol := r.Header[":protocol"]; {
	case r.Method != http.MethodConnect:
		return ""
	case len(protocol) > 0:
		return protocol[0]
	case strings.HasPrefix(r.Proto, "HTTP/"):
		return ""
	}
	return r.Proto
}

// candidates returns the rules that a price query for path is about: those of the most specific priced pattern, whatever
// their method. None means that every method of path is free.
func (t *priceTable) candidates(path string) map[string]*Rule {
	priced, weight := t.priced.mostSpecific(foldPath(path), false)
	// Only freedom for all methods silences a price query, and on one path a price for one method is still a price.
	if _, freedom := t.free.match("", path, true); freedom > weight {
		return nil
	}
	return priced
}

// match returns the most specific rule for method and path, and its weight; 0 if there is none.
func (p *patterns) match(method, path string, strict bool) (rule *Rule, weight int) {
	if method == "HEAD" {
		method = "GET"
	}
	p.walk(path, strict, func(byMethod map[string]*Rule, w int) bool {
		if found := byMethod[method]; found != nil && method != "" {
			rule, weight = found, w+1
		} else if found := byMethod[""]; found != nil {
			rule, weight = found, w
		}
		return rule != nil
	})
	return rule, weight
}

// mostSpecific returns all rules of the most specific pattern that path matches, and the weight of a rule with a method.
func (p *patterns) mostSpecific(path string, strict bool) (rules map[string]*Rule, weight int) {
	p.walk(path, strict, func(byMethod map[string]*Rule, w int) bool {
		rules, weight = byMethod, w+1
		return true
	})
	return rules, weight
}

// walk visits the patterns that path matches, most specific first, until visit returns true. Weights order the patterns of
// both tables: an exact path weighs more than any prefix, a longer one more than a shorter, and the lowest bit is left for a method.
func (p *patterns) walk(path string, strict bool, visit func(byMethod map[string]*Rule, weight int) bool) {
	const exact = 1 << 30
	if byMethod := p.exact[path]; byMethod != nil && visit(byMethod, exact+2*len(path)) {
		return
	}
	if !strict {
		// A priced prefix covers the folder itself, which has lost its trailing slash by folding.
		if byMethod := p.below[path]; byMethod != nil && visit(byMethod, 2*(len(path)+1)) {
			return
		}
	}
	for i := len(path); i > 0; {
		i = strings.LastIndexByte(path[:i], '/')
		if i < 0 {
			return
		}
		if byMethod := p.below[path[:i]]; byMethod != nil && visit(byMethod, 2*(i+1)) {
			return
		}
	}
}
