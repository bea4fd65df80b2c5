package cli

// This file reads what nodes answer, in whichever dialect, and without losing a digit of a number.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/paydoor/paydoor/amount"
)

// record is an object of JSON whose numbers are json.Number.
type record map[string]any

// errAnswer says that an answer is not what this endpoint answers.
var errAnswer = errors.New("the answer is not that of a node: is --node the URL of its ilp_node site?")

// decode reads JSON.
func decode(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, errAnswer
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errAnswer
	}
	return v, nil
}

// decodeRecord reads an object.
func decodeRecord(body []byte) (record, error) {
	v, err := decode(body)
	if err != nil {
		return nil, err
	}
	r, ok := v.(map[string]any)
	if !ok {
		return nil, errAnswer
	}
	return r, nil
}

// decodeList reads an array of objects, or a page of the Java connector, which has them in _embedded.
func decodeList(body []byte) ([]record, error) {
	v, err := decode(body)
	if err != nil {
		return nil, err
	}
	if page, ok := v.(map[string]any); ok {
		embedded, found := page["_embedded"].(map[string]any)
		if !found && page["page"] == nil && page["_links"] == nil {
			return nil, errAnswer
		}
		for _, list := range embedded {
			return records(list)
		}
		return nil, nil
	}
	return records(v)
}

func records(v any) ([]record, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, errAnswer
	}
	read := make([]record, 0, len(list))
	for _, item := range list {
		r, ok := item.(map[string]any)
		if !ok {
			return nil, errAnswer
		}
		read = append(read, r)
	}
	return read, nil
}

// text returns the first of the members that is there, as one line; "" if none is. Dialects have different names for the same.
func (r record) text(names ...string) string {
	for _, name := range names {
		if v, ok := r[name]; ok && v != nil {
			return inline(v)
		}
	}
	return ""
}

// inline writes a value of JSON on one line.
func inline(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return clean(v)
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "yes"
		}
		return "no"
	default:
		b, err := marshal(v, "")
		if err != nil {
			return ""
		}
		return clean(strings.TrimSpace(string(b)))
	}
}

// inside returns a member that is an object; an empty one if it is none.
func (r record) inside(name string) record {
	m, _ := r[name].(map[string]any)
	return m
}

// list returns the objects of a member that is an array.
func (r record) list(name string) (list []record) {
	items, _ := r[name].([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			list = append(list, m)
		}
	}
	return list
}

// names returns the members in order.
func (r record) names() []string { return slices.Sorted(maps.Keys(r)) }

// marshal writes JSON with each number as it was read, and indented by indent if there is one.
func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", indent)
	if err := out.Encode(v); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return b.Bytes(), nil
}

// units says a number of base units in both ways: -1500 (-0.0000015 USD). What is no whole number stays as it is.
func units(digits, code, scale string) string {
	if digits == "" || code == "" {
		return digits
	}
	magnitude, negative := strings.CutPrefix(digits, "-")
	a, err := amount.Parse(magnitude)
	places, scaleErr := amount.Parse(scale)
	if err != nil || scaleErr != nil || places > 255 {
		return digits
	}
	sign := ""
	if negative {
		sign = "-"
	}
	return fmt.Sprintf("%s (%s%s %s)", digits, sign, a.Decimal(uint8(places)), code)
}

// isPrintable says whether r shows as itself and moves nothing on a terminal.
func isPrintable(r rune) bool { return unicode.IsPrint(r) }
