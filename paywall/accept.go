package paywall

// This file reads the two headers by which a client chooses: Accept for the form of an answer, Pay-Accept for the way to pay.

import (
	"strconv"
	"strings"
)

// Method is a payment method, the first word of Pay.
type Method string

// The payment methods: one address and secret serve both.
const (
	PSK2   Method = "interledger-psk2"
	STREAM Method = "interledger-stream"
)

// acceptedMethod returns the first payment method in Pay-Accept that we know, or fallback.
func acceptedMethod(lines []string, fallback Method) Method {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(element, ";")
			switch Method(strings.ToLower(strings.TrimSpace(name))) {
			case PSK2:
				return PSK2
			case STREAM:
				return STREAM
			}
		}
	}
	return fallback
}

// prefersHTML says whether Accept (RFC 9110 section 12.5.1) ranks text/html above JSON. Without a header it does not.
func prefersHTML(lines []string) bool {
	html := quality(lines, "text/html")
	return html > 0 && html > max(quality(lines, "application/problem+json"), quality(lines, "application/json"))
}

// quality returns the weight, in thousandths, that Accept gives to a media type: that of the most specific range.
func quality(lines []string, mediaType string) int {
	major, _, _ := strings.Cut(mediaType, "/")
	weight, specificity := 0, 0
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(element, ";")
			s := 0
			switch strings.ToLower(strings.TrimSpace(name)) {
			case mediaType:
				s = 3
			case major + "/*":
				s = 2
			case "*/*":
				s = 1
			}
			if s > specificity {
				weight, specificity = thousandths(parameters), s
			}
		}
	}
	return weight
}

// thousandths reads q from the parameters of a media range; 1000 when there is none, 0 when it is malformed.
func thousandths(parameters string) int {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		whole, fraction, _ := strings.Cut(value, ".")
		n, err := strconv.ParseUint(whole+(fraction + "000")[:3], 10, 16)
		if err != nil || len(fraction) > 3 || n > 1000 {
			return 0
		}
		return int(n)
	}
	return 1000
}
