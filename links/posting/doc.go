// Package posting is what the two links over HTTP have in common, ilphttp (RFC 35) and ilpheaders (draft 1): each packet is a POST with a
// bearer token, and its answer is the answer to that. Where a Prepare and its reply stand in the two messages is the link's own affair.
package posting
