package interop

// This file lists the hostile requests of the golden table, as bytes. Marks in braces stand for tokens: {funded} and {second}
// have money, {unfunded} has none, {fresh N} is a new one of N characters, with money if it is a token at all.

import (
	"fmt"
	"strings"
)

// hostileCase is one row's input: what is written to a connection.
type hostileCase struct{ name, request string }

// head makes a request of a request line, a Host and lines of header; a body may be appended.
func head(line string, header ...string) string {
	return strings.Join(append([]string{line, "Host: paydoor.test"}, header...), "\r\n") + "\r\n\r\n"
}

// paid is a GET of a resource that costs 25.
func paid(header ...string) string { return head("GET /paid/secret HTTP/1.1", header...) }

const (
	funded  = "Pay-Token: {funded}"
	poor    = "Pay-Token: {unfunded}"
	chunked = "Transfer-Encoding: chunked"
	empty   = "0\r\n\r\n"
	// smuggled is a request that hides in or behind another one's body.
	smuggled = "GET /paid/secret HTTP/1.1\r\nHost: paydoor.test\r\nX-Variant: smuggled\r\n\r\n"
)

func hostileCases() []hostileCase {
	var all []hostileCase
	for _, some := range [][]hostileCase{
		tokenCases(), tokenLengthCases(), headerCases(), trailerCases(), framingCases(), upgradeCases(), methodCases(), expectCases(), pathCases(),
	} {
		all = append(all, some...)
	}
	return all
}

func tokenCases() []hostileCase {
	return []hostileCase{
		{"token: good", paid(funded)},
		{"token: without money", paid(poor)},
		{"token: none", paid()},
		{"token: lower-case name", paid("pay-token: {funded}")},
		{"token: upper-case name", paid("PAY-TOKEN: {funded}")},
		{"token: two lines, the same", paid(funded, funded)},
		{"token: two lines, rich then poor", paid(funded, poor)},
		{"token: two lines, poor then rich", paid(poor, funded)},
		{"token: two lines, good then empty", paid(funded, "Pay-Token:")},
		{"token: comma, two", paid("Pay-Token: {funded}, {second}")},
		{"token: comma, no space", paid("Pay-Token: {funded},{funded}")},
		{"token: comma at the end", paid("Pay-Token: {funded},")},
		{"token: padding", paid("Pay-Token: {funded}=")},
		{"token: double padding", paid("Pay-Token: {funded}==")},
		{"token: spaces around", paid("Pay-Token:  \t {funded} \t ")},
		{"token: no space before", paid("Pay-Token:{funded}")},
		{"token: space inside", paid("Pay-Token: {funded} {funded}")},
		{"token: space before the colon", paid("Pay-Token : {funded}")},
		{"token: tab before the colon", paid("Pay-Token\t: {funded}")},
		{"token: folded behind", paid(funded + "\r\n x")},
		{"token: folded in two", paid(funded + "\r\n\t{second}")},
		{"token: folded before", paid("Pay-Token:\r\n {funded}")},
		{"token: folded into another header", paid("X-Other: a\r\n Pay-Token: {funded}")},
		{"token: folded as the first line", "GET /paid/secret HTTP/1.1\r\n Pay-Token: {funded}\r\nHost: paydoor.test\r\n\r\n"},
		{"token: NUL behind", paid(funded + "\x00")},
		{"token: NUL before", paid("Pay-Token: \x00{funded}")},
		{"token: NUL in the name", paid("Pay-\x00Token: {funded}")},
		{"token: carriage return inside", paid(funded + "\rX-Other: a")},
		{"token: bare line feeds", "GET /paid/secret HTTP/1.1\nHost: paydoor.test\n" + funded + "\n\n"},
		{"token: 8 KiB", paid("Pay-Token: " + strings.Repeat("A", 8<<10))},
		{"token: alphabet of plain base64, +", paid("Pay-Token: +" + strings.Repeat("A", 42))},
		{"token: alphabet of plain base64, /", paid("Pay-Token: /" + strings.Repeat("A", 42))},
		{"token: dot", paid("Pay-Token: ." + strings.Repeat("A", 42))},
		{"token: percent-encoded", paid("Pay-Token: %41" + strings.Repeat("A", 42))},
		{"token: quoted", paid(`Pay-Token: "{funded}"`)},
		{"token: Latin-1", paid("Pay-Token: \xe9" + strings.Repeat("A", 42))},
		{"token: UTF-8", paid("Pay-Token: ａ" + strings.Repeat("A", 42))},
		{"token: last bits not zero", paid("Pay-Token: " + strings.Repeat("A", 42) + "B")},
		{"token: underscore in the name", paid("Pay_Token: {funded}")},
		{"token: underscore in the name beside a poor one", paid("Pay_Token: {funded}", poor)},
		{"token: underscore in the name beside a rich one", paid("Pay_Token: {second}", funded)},
		{"token: in the query", head("GET /paid/secret?Pay-Token={funded} HTTP/1.1")},
		{"token: in a cookie", paid("Cookie: Pay-Token={funded}")},
		{"token: as bearer", paid("Authorization: Bearer {funded}")},
		{"token: bad one on a free route", head("GET /health HTTP/1.1", "Pay-Token: x", "Pay-Token: y")},
	}
}

func tokenLengthCases() []hostileCase {
	var cases []hostileCase
	for n := range 91 {
		cases = append(cases, hostileCase{fmt.Sprintf("token: %d characters", n), paid(fmt.Sprintf("Pay-Token: {fresh %d}", n))})
	}
	return cases
}

func headerCases() []hostileCase {
	spoofed := []string{
		"Pay: spoofed", "Pay-Balance: spoofed", "Pay-Verified: spoofed", "Paydoor-Account: spoofed", "PAYDOOR-PRICE: spoofed", "paydoor-balance: spoofed",
		"Paydoor-Charge-Id: spoofed", "Paydoor: spoofed", "Paydoor-X: spoofed", "Paydoor_Account: spoofed", "Pay_Balance: spoofed",
		"X-HTTP-Method-Override: spoofed", "X-Http-Method: spoofed", "X-Method-Override: spoofed",
	}
	cases := []hostileCase{
		{"spoofed headers: paid", paid(append(spoofed, funded)...)},
		{"spoofed headers: without money", paid(append(spoofed, poor)...)},
		{"spoofed headers: free", head("GET /health HTTP/1.1", append(spoofed, funded)...)},
		{"spoofed headers: preflight", head("OPTIONS /paid/secret HTTP/1.1", append(spoofed, funded, "Origin: https://app.example", "Access-Control-Request-Method: GET")...)},
	}
	for _, options := range []string{
		"Pay-Token", "close, pay-token", "PAYDOOR-ACCOUNT", "Paydoor-Price", "Pay_Token", "keep-alive,,\tPay", "Paydoor-Charge-Id;x",
	} {
		cases = append(cases,
			hostileCase{"Connection: " + options, paid(funded, "Connection: "+options)},
			hostileCase{"Connection: " + options + ", free", head("GET /health HTTP/1.1", funded, "Connection: "+options)})
	}
	return append(cases,
		hostileCase{"Connection: on a second line", paid(funded, "Connection: keep-alive", "Connection: Pay-Token")},
		hostileCase{"Connection: quoted", paid(funded, `Connection: "Pay-Token"`)},
		hostileCase{"Proxy-Connection: Pay-Token", paid(funded, "Proxy-Connection: Pay-Token")},
		hostileCase{"backend: a 402 of its own", head("GET /paid/secret?402 HTTP/1.1", funded)},
		hostileCase{"backend: early hints", head("GET /paid/secret?hints HTTP/1.1", funded)},
		hostileCase{"backend: early hints, free", head("GET /health?hints HTTP/1.1")})
}

func trailerCases() []hostileCase {
	const post = "POST /paid/secret HTTP/1.1"
	body := func(trailers string) string { return "1\r\na\r\n0\r\n" + trailers + "\r\n" }
	return []hostileCase{
		{"trailer: the token, announced", head(post, chunked, "Trailer: Pay-Token") + body(funded+"\r\n")},
		{"trailer: the token, unannounced", head(post, chunked) + body(funded+"\r\n")},
		{"trailer: a second token", head(post, chunked, funded, "Trailer: Pay-Token") + body("Pay-Token: {second}\r\n")},
		{"trailer: spoofed, announced", head(post, chunked, funded, "Trailer: Paydoor-Account, Pay_Token, X-Sum") +
			body("Paydoor-Account: spoofed\r\nPay_Token: spoofed\r\nX-Sum: 1\r\n")},
		{"trailer: spoofed, unannounced", head(post, chunked, funded) + body("Paydoor-Account: spoofed\r\nPay-Token: spoofed\r\n")},
		{"trailer: spoofed, free", head("POST /health HTTP/1.1", chunked, "Trailer: Paydoor-Account") + body("Paydoor-Account: spoofed\r\n")},
		{"trailer: Content-Length", head(post, chunked, funded, "Trailer: Content-Length") + body("Content-Length: 99\r\n")},
		{"trailer: Transfer-Encoding, unannounced", head(post, chunked, funded) + body("Transfer-Encoding: chunked\r\n")},
	}
}

// framingCases try to make gateway and backend disagree about where a request ends, so that a second one rides behind the first.
func framingCases() []hostileCase {
	const post, free = "POST /paid/secret HTTP/1.1", "POST /health HTTP/1.1"
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d", n) }
	both := empty + smuggled
	return []hostileCase{
		{"framing: CL and TE, free in front", head(free, length(len(both)), chunked) + both},
		{"framing: TE and CL, free in front", head(free, chunked, length(len(both))) + both},
		{"framing: CL and TE, CL short", head(free, length(4), chunked) + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)},
		{"framing: CL and TE, paid in front", head(post, funded, length(len(both)), chunked) + both},
		{"framing: CL and TE, poor in front", head(post, poor, length(len(both)), chunked) + both},
		{"framing: CL and TE, HTTP/1.0", head("POST /health HTTP/1.0", length(len(both)), chunked) + both},
		{"framing: CL 0 and a body", head(free, length(0)) + smuggled},
		{"framing: GET with a body that is a request", head("GET /health HTTP/1.1", length(len(smuggled))) + smuggled},
		{"framing: two CL, different", head(free, length(0), length(len(smuggled))) + smuggled},
		{"framing: two CL, the same", head(free, length(len(smuggled)), length(len(smuggled))) + smuggled},
		{"framing: CL list", head(free, "Content-Length: 0, "+fmt.Sprint(len(smuggled))) + smuggled},
		{"framing: CL with a sign", head(free, "Content-Length: +"+fmt.Sprint(len(smuggled))) + smuggled},
		{"framing: CL negative", head(free, "Content-Length: -1") + smuggled},
		{"framing: CL hexadecimal", head(free, "Content-Length: 0x10") + smuggled},
		{"framing: CL empty", head(free, "Content-Length:") + smuggled},
		{"framing: CL with an underscore", head(free, "Content_Length: "+fmt.Sprint(len(smuggled))) + smuggled},
		{"framing: TE xchunked", head(free, "Transfer-Encoding: xchunked") + both},
		{"framing: TE identity", head(free, "Transfer-Encoding: identity") + both},
		{"framing: TE gzip, chunked", head(free, "Transfer-Encoding: gzip, chunked") + both},
		{"framing: TE chunked, identity", head(free, "Transfer-Encoding: chunked, identity") + both},
		{"framing: two TE", head(free, chunked, "Transfer-Encoding: identity") + both},
		{"framing: TE with a space before the colon", head(free, "Transfer-Encoding : chunked", length(len(both))) + both},
		{"framing: TE with a vertical tab", head(free, "Transfer-Encoding: \x0bchunked", length(len(both))) + both},
		{"framing: TE folded", head(free, "Transfer-Encoding:\r\n chunked", length(len(both))) + both},
		{"framing: TE with an underscore", head(free, "Transfer_Encoding: chunked", length(len(both))) + both},
		{"framing: TE named by Connection", head(free, "Connection: Transfer-Encoding", chunked) + both},
		{"framing: CL named by Connection", head(free, "Connection: Content-Length", length(len(smuggled))) + smuggled},
		{"framing: chunk size overflows", head(free, chunked) + "10000000000000000\r\n" + smuggled},
		{"framing: chunk size negative", head(free, chunked) + "-1\r\n" + smuggled},
		{"framing: chunk size 0x", head(free, chunked) + "0x0\r\n\r\n" + smuggled},
		{"framing: chunk extension with a bare line feed", head(free, chunked) + "2;\nxx\r\n0\r\n\r\n" + smuggled},
		{"framing: chunk longer than it says", head(free, chunked) + "1\r\naa\r\n0\r\n\r\n" + smuggled},
		{"framing: header name with a bare line feed", head(free, "X: a\n"+chunked, length(len(both))) + both},
		{"framing: absolute target and another Host", "GET http://other.test/paid/secret HTTP/1.1\r\nHost: paydoor.test\r\n\r\n"},
		{"framing: two Hosts", paid(funded, "Host: other.test")},
		{"framing: no Host", "GET /paid/secret HTTP/1.1\r\n" + funded + "\r\n\r\n"},
		{"framing: pipelined, paid then poor", paid(funded) + paid(poor)},
		{"framing: pipelined, free then without token", head("GET /health HTTP/1.1") + smuggled},
	}
}

func upgradeCases() []hostileCase {
	h2c := []string{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"}
	return []hostileCase{
		{"Upgrade: h2c, paid", paid(append(h2c, funded)...)},
		{"Upgrade: h2c, poor", paid(append(h2c, poor)...)},
		{"Upgrade: h2c, free", head("GET /health HTTP/1.1", h2c...)},
		{"Upgrade: h2c, preflight", head("OPTIONS /paid/secret HTTP/1.1", append(h2c, "Origin: https://app.example", "Access-Control-Request-Method: GET")...)},
		{"Upgrade: websocket, h2c", paid(funded, "Connection: Upgrade", "Upgrade: websocket, h2c")},
		{"Upgrade: two lines", paid(funded, "Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c")},
		{"Upgrade: websocket, poor", paid(poor, "Connection: Upgrade", "Upgrade: websocket")},
		{"Upgrade: websocket, preflight", head("OPTIONS /paid/secret HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Origin: https://app.example", "Access-Control-Request-Method: GET")},
		{"Upgrade: h2c, free, and a request through the tunnel", head("GET /health HTTP/1.1", h2c...) + smuggled},
		{"Upgrade: h2c without Connection", head("GET /health HTTP/1.1", "Upgrade: h2c")},
	}
}

func methodCases() []hostileCase {
	var cases []hostileCase
	for _, method := range []string{
		"HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "FOO", "get", "head", "options", "G-T", "PROPFIND", "QUERY", "PRI", "!#$%&'*+-.^_`|~", "GÉT", "G/T", "",
	} {
		for _, token := range []string{funded, poor} {
			who := map[string]string{funded: "paid", poor: "poor"}[token]
			cases = append(cases, hostileCase{fmt.Sprintf("method %q, %s", method, who), head(method+" /paid/secret HTTP/1.1", token)})
		}
	}
	return append(cases,
		hostileCase{"method HEAD, without token", head("HEAD /paid/secret HTTP/1.1")},
		hostileCase{"method HEAD, free", head("HEAD /health HTTP/1.1")},
		hostileCase{"method OPTIONS, without token", head("OPTIONS /paid/secret HTTP/1.1")},
		hostileCase{"method OPTIONS, poor", head("OPTIONS /paid/secret HTTP/1.1", poor)},
		hostileCase{"method OPTIONS, preflight", head("OPTIONS /paid/secret HTTP/1.1", "Origin: https://app.example", "Access-Control-Request-Method: GET")},
		hostileCase{"method OPTIONS, preflight with a body", head("OPTIONS /paid/secret HTTP/1.1", "Origin: https://app.example", "Access-Control-Request-Method: GET",
			"Content-Length: 4") + "work"},
		hostileCase{"method OPTIONS *", head("OPTIONS * HTTP/1.1")},
		hostileCase{"method GET *", head("GET * HTTP/1.1", funded)},
		hostileCase{"method CONNECT, free, and a request through the tunnel", head("CONNECT /health HTTP/1.1") + smuggled},
		hostileCase{"method CONNECT to an authority", "CONNECT inside.test:22 HTTP/1.1\r\nHost: inside.test:22\r\n" + funded + "\r\n\r\n"},
		hostileCase{"method CONNECT with :protocol", head("CONNECT /paid/secret HTTP/1.1", ":protocol: websocket", poor)},
		hostileCase{"version HTTP/0.9", "GET /paid/secret\r\n\r\n"},
		hostileCase{"version HTTP/1.0", "GET /paid/secret HTTP/1.0\r\n\r\n"},
		hostileCase{"version HTTP/2.0", head("GET /paid/secret HTTP/2.0", poor)},
		hostileCase{"version HTTP/1.9", head("GET /paid/secret HTTP/1.9", poor)})
}

func expectCases() []hostileCase {
	const post, expect, size = "POST /paid/secret HTTP/1.1", "Expect: 100-continue", "Content-Length: 6"
	return []hostileCase{
		{"Expect: without token", head(post, expect, size) + "{100}upload"},
		{"Expect: poor", head(post, expect, size, poor) + "{100}upload"},
		{"Expect: poor, chunked", head(post, expect, chunked, poor) + "{100}6\r\nupload\r\n0\r\n\r\n"},
		{"Expect: poor, body at once", head(post, expect, size, poor) + "upload"},
		{"Expect: bad token", head(post, expect, size, "Pay-Token: x") + "{100}upload"},
		{"Expect: bad path", head("POST /open/../paid/secret HTTP/1.1", expect, size, funded) + "{100}upload"},
		{"Expect: paid", head(post, expect, size, funded) + "{100}upload"},
		{"Expect: free", head("POST /health HTTP/1.1", expect, size) + "{100}upload"},
		{"Expect: something else", head(post, "Expect: 200-ok", size, funded) + "upload"},
	}
}

func pathCases() []hostileCase {
	var cases []hostileCase
	for _, target := range hostileTargets() {
		cases = append(cases, hostileCase{"path " + target, head("GET "+target+" HTTP/1.1", funded)})
	}
	return cases
}
