package ilpheaders

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/ilpcore"
)

// The error of the draft's example, relayed by the second of the two connectors that it names.
func TestServerAnswersWithTheErrorOfTheDraft(t *testing.T) {
	server := newTestServer(t, ServerConfig{
		Self: func() ilpcore.Address { return "g.crypto.bitcoin.1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa" },
		Handler: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			reply := ilpcore.Reject(ilpcore.F02, "g.usd.acmebank.user12345.xclkv-909sdf", "", []byte("<body>"))
			reply.Trail = &ilpcore.RejectTrail{
				TriggeredAt: time.Date(2017, 12, 7, 19, 11, 21, 917_000_000, time.UTC), ForwardedBy: []ilpcore.Address{"g.usd.acmebank.connector"},
			}
			return reply
		}),
	})
	w := httptest.NewRecorder()
	server.ServeHTTP(w, post(nil))
	want := http.Header{}
	for name, value := range map[string]string{
		"ILP-Error-Code":         "F02",
		"ILP-Error-Name":         "Unreachable",
		"ILP-Error-Triggered-By": "g.usd.acmebank.user12345.xclkv-909sdf",
		"ILP-Error-Triggered-At": "2017-12-07T19:11:21.917Z",
		"ILP-Error-Forwarded-By": "g.usd.acmebank.connector,g.crypto.bitcoin.1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
		"Content-Type":           "application/octet-stream",
		"Content-Length":         "6",
		"Cache-Control":          "no-store, no-transform",
	} {
		want.Set(name, value)
	}
	if diff := cmp.Diff(want, w.Header()); diff != "" || w.Code != 404 || w.Body.String() != "<body>" {
		t.Errorf("%d %q %s", w.Code, w.Body, diff)
	}
}

func TestStatusOfEveryCode(t *testing.T) {
	for code, want := range map[string]int{
		"F00": 400, "F01": 400, "F02": 404, "F03": 400, "F04": 400, "F05": 400, "F06": 400, "F07": 400, "F08": 413, "F99": 400,
		"T00": 500, "T01": 503, "T02": 503, "T03": 503, "T04": 503, "T05": 429, "T99": 503,
		"R00": 504, "R01": 400, "R02": 400, "R99": 400, "F77": 400, "T77": 503, "R77": 400, "P00": 500,
	} {
		c, err := ilpcore.ParseCode(code)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		reply := ilpcore.Reject(c, "", "", nil)
		if got, err := encodeReply(h, &reply, "", time.Now()); got != want || err != nil || h.Get("ILP-Error-Name") != c.Name() {
			t.Errorf("%s: %d, want %d; %v, %v", code, got, want, h, err)
		}
	}
}

// Who is named as origin and on the way, at the node test.us.
func TestOriginOfARejection(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	earlier := now.Add(-time.Second)
	full := make([]ilpcore.Address, maxForwarders)
	for i := range full {
		full[i] = "test.x"
	}
	long := ilpcore.Address("test." + strings.Repeat("l", 1000))
	for name, test := range map[string]struct {
		triggeredBy string
		trail       *ilpcore.RejectTrail
		self        ilpcore.Address
		wantBy      string
		wantAt      time.Time
		wantTrail   string
	}{
		"our own":                      {"test.us", nil, "test.us", "test.us", now, ""},
		"our link's":                   {"", nil, "test.us", "test.us", now, ""},
		"without an address":           {"", nil, "", "", now, ""},
		"over a binary link":           {"test.them", nil, "test.us", "test.them", now, "test.us"},
		"of a child":                   {"test.us.child", nil, "test.us", "test.us.child", now, "test.us"},
		"over a header link":           {"test.them", &ilpcore.RejectTrail{TriggeredAt: earlier}, "test.us", "test.them", earlier, "test.us"},
		"over two":                     {"test.them", &ilpcore.RejectTrail{TriggeredAt: earlier, ForwardedBy: []ilpcore.Address{"test.mid"}}, "test.us", "test.them", earlier, "test.mid,test.us"},
		"that tells no time":           {"test.them", &ilpcore.RejectTrail{}, "test.us", "test.them", now, "test.us"},
		"that names us":                {"test.us", &ilpcore.RejectTrail{TriggeredAt: earlier}, "test.us", "test.us", earlier, "test.us"},
		"that names nobody":            {"", &ilpcore.RejectTrail{TriggeredAt: earlier}, "test.us", "", earlier, "test.us"},
		"passed on without an address": {"test.them", &ilpcore.RejectTrail{TriggeredAt: earlier, ForwardedBy: []ilpcore.Address{"test.mid"}}, "", "test.them", earlier, "test.mid"},
		"a full list":                  {"test.them", &ilpcore.RejectTrail{TriggeredAt: earlier, ForwardedBy: full}, "test.us", "test.them", earlier, strings.TrimSuffix(strings.Repeat("test.x,", maxForwarders), ",")},
		"a long list": {"test.them", &ilpcore.RejectTrail{TriggeredAt: earlier, ForwardedBy: []ilpcore.Address{long, long, long, long, long}}, "test.us", "test.them", earlier,
			strings.Join([]string{string(long), string(long), string(long), string(long), "test.us"}, ",")},
		"a list with what is no address": {"test.them", &ilpcore.RejectTrail{TriggeredAt: earlier, ForwardedBy: []ilpcore.Address{"test.a\r\nX: y", "test.b"}}, "test.us", "test.them", earlier, "test.b,test.us"},
		"an origin that breaks lines":    {"test.a\r\nX: y", &ilpcore.RejectTrail{TriggeredAt: earlier}, "test.us", "", earlier, "test.us"},
		"a time out of the calendar":     {"test.them", &ilpcore.RejectTrail{TriggeredAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}, "test.us", "test.them", time.Time{}, "test.us"},
	} {
		t.Run(name, func(t *testing.T) {
			reply := ilpcore.Reject(ilpcore.F02, test.triggeredBy, "", nil)
			reply.Trail = test.trail
			h := http.Header{}
			if _, err := encodeReply(h, &reply, test.self, now); err != nil {
				t.Fatal(err)
			}
			at, _ := parseTime(h.Get("ILP-Error-Triggered-At"))
			if h.Get("ILP-Error-Triggered-By") != test.wantBy || !at.Equal(test.wantAt) || h.Get("ILP-Error-Forwarded-By") != test.wantTrail {
				t.Errorf("%v", h)
			}
		})
	}
}

// Nothing in a message begins another header, and a long one stays within what clients read.
func TestMessageIsOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                          "plain",
		"a\r\nILP-Fulfillment: x":        "a  ILP-Fulfillment: x",
		"\x00\x7f tab\there":             "tab here",
		"Zahlung f\u00e4llig \u2028":     "Zahlung f?llig ?",
		"\xff\xfe":                       "??",
		strings.Repeat("m", 9000):        strings.Repeat("m", maxMessage),
		strings.Repeat("\u00e4", 5000):   strings.Repeat("?", maxMessage/2),
		" \r\n ":                         "",
		"said by \"them\", 100% \\ sure": "said by \"them\", 100% \\ sure",
	} {
		if got := headerText(text); got != want {
			t.Errorf("%.40q becomes %.40q", text, got)
		}
	}
	long := ilpcore.Reject(ilpcore.F99, "test."+strings.Repeat("l", 1000), strings.Repeat("m", 8191), nil)
	long.Trail = &ilpcore.RejectTrail{ForwardedBy: make([]ilpcore.Address, maxForwarders)}
	for i := range long.Trail.ForwardedBy {
		long.Trail.ForwardedBy[i] = ilpcore.Address("test." + strings.Repeat("f", 1000))
	}
	h := http.Header{}
	if _, err := encodeReply(h, &long, "test.us", time.Now()); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := h.Write(&text); err != nil || text.Len() > 8<<10 {
		t.Errorf("%d bytes of headers, %v", text.Len(), err)
	}
}
