// Package ilpheaders is the link ILP over HTTP in its first draft (2017): each Prepare is a POST whose ILP-* headers hold its fields and
// whose body is the end-to-end data, and the answer holds a fulfillment or an error in the same way.
//
//	POST / HTTP/1.1                                                  HTTP/1.1 200 OK
//	ILP-Destination: g.bob                                           ILP-Fulfillment: cz/9RGv1PVjhKIOoyPvWkAs8KrBpIJh8UrYsQ8j34CQ=
//	ILP-Condition: x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpB8=
//	ILP-Expiry: 2017-12-07T18:47:59.015Z                             HTTP/1.1 404 Not Found
//	ILP-Amount: 1000                                                 ILP-Error-Code: F02 …
//
// Server takes the packets of other nodes; Client sends to one. The draft has no logins: both directions have a bearer token, as in
// package ilphttp. The message of a Reject, which the draft has no place for either, is in ILP-Error-Message.
package ilpheaders
