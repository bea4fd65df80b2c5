package interop

// This file lists request targets that one program reads as free and another as priced.

import "strings"

// hostileTargets are request targets as they stand in a request line.
func hostileTargets() []string {
	targets := []string{
		// Plain, for comparison.
		"/health", "/open/", "/open/x", "/paid", "/paid/", "/paid/secret", "/paid/x", "/book", "/", "/other",
		// Letter case, trailing slashes, dots, spaces and parameters.
		"/PAID/secret", "/paid/SECRET", "/Paid/Secret", "/paid/secret/", "/paid/secret.", "/paid/secret...", "/paid/secret%20", "/paid./secret", "/paid/secret;x",
		"/paid;x/secret", "/paid/secret;x=/health", "/HEALTH", "/health/", "/health.", "/health;x", "/health%20", "/BOOK", "/book/", "/book;x", "/book.",
		// Letters whose lower or upper case is ASCII: the Kelvin sign, the long s, and the Turkish i.
		"/boo%E2%84%AA", "/boo%e2%84%aa/", "/paid/%C5%BFecret", "/pa%C4%B1d/secret", "/pa%C4%B0d/secret", "/%EF%BD%90aid/secret", "/paid%E2%81%84secret",
		// Slashes that only some decode, and encoded letters.
		"/open%2fx", "/open%2F", "/health%2f",
		"/%70aid/secret", "/paid/%73ecret", "/%50aid/secret", "/%68ealth", "/%62%6f%6f%6b", "/boo%6B", "/boo%4b",
		// Queries and fragments.
		"/health?/../paid/secret", "/paid/secret?x=/health", "/health%3F/../paid/secret", "/paid/secret%3Fhealth", "/book%3Fx", "/book%23x", "/book#x",
		"/health#/paid/secret", "/health?#/paid/secret", "/paid/secret?", "/paid/secret?;", "/?/paid/secret", "/health&/../paid/secret",
		// Absolute form and other schemes.
		"http://paydoor.test/paid/secret", "http://paydoor.test/health", "http://paydoor.test", "http://paydoor.test?/paid/secret", "http://health/paid/secret",
		"http://user@paydoor.test/paid/secret", "HTTP://PAYDOOR.TEST/paid/secret", "https://paydoor.test/paid/secret", "ftp://paydoor.test/paid/secret",
		"http:///paid/secret", "http:/paid/secret", "http:paid/secret", "http:http://paydoor.test/paid/secret", "x:http://paydoor.test/paid/secret",
		"x:/paid/secret", "x://paydoor.test/paid/secret", "http:?x", "x:%2fpaid/secret", "//paydoor.test/paid/secret", "paydoor.test/paid/secret", "paid/secret", "*/paid/secret",
		"/http://paydoor.test/paid/secret", "/:80/paid/secret", "?/paid/secret", "#/paid/secret",
		// Characters that end or split a path somewhere.
		"/paid/secret%00", "/health%00/../paid/secret", "/%00/paid/secret", "/paid\x00/secret", "/paid/secret%0a", "/health%0d%0a/paid", "/paid/secret%09", "/paid/secret\t",
		"/paid/secret%7f", "/paid/secret%ff", "/paid%c0%afsecret", "/open/%c0%ae%c0%ae/paid/secret", "/paid%e0%80%afsecret", "/paid/\xffsecret", "/paid/s\xc3\xa9cret",
		"/paid/secret%", "/paid/secret%2", "/paid/secret%zz", "/paid/secret%u0041", "/%u0070aid/secret", "/health HTTP/1.1\r\nX: /paid", "/paid/%EF%BB%BFsecret", "/paid/se%C2%ADcret",
	}
	// Ways from a free path to a priced one: dots, slashes and backslashes in every spelling.
	for _, free := range []string{"/open", "/health", ""} {
		for _, up := range []string{
			"/..", "/%2e%2e", "/.%2e", "/%2E.", "/%252e%252e", "/..;", "/..;x=y", "/%2e%2e;x", "/.;/..", "/..%00", "/..%20", "/...", "%2f..", "%2F%2e%2e", "%252f..", "/..\\", "\\..",
			"%5c..", "%5C%2e%2e", "/x/../..", "/./..", "//..", "/..//..", "/.", "/%2e", "/./.", "/", "//", "%2f", "%5c", "\\", ";/..", "/;/..", "/%3b/..", "..", "/..%3b",
		} {
			targets = append(targets, free+up+"/paid/secret")
		}
	}
	for _, joint := range []string{"//", "/./", "/x/../", "/%2e/", "%2f", "%2F", "%252f", "%5c", "\\", "/\\", "/;/", "/ ./", "///", "/%2f", "%2f%2f", "/.%00/", "%00/", "%C0%AF"} {
		targets = append(targets, "/paid"+strings.ReplaceAll(joint, " ", "%20")+"secret")
	}
	return targets
}
