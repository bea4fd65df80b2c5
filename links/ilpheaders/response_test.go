package ilpheaders

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/ilpcore"
)

func TestClientReadsTheErrorOfTheDraft(t *testing.T) {
	h := http.Header{}
	for name, value := range map[string]string{
		"ILP-Error-Code": "F02", "ILP-Error-Name": "Unreachable", "ILP-Error-Triggered-By": "g.usd.acmebank.user12345.xclkv-909sdf",
		"ILP-Error-Triggered-At": "2017-12-07T19:11:21.917Z",
		"ILP-Error-Forwarded-By": "g.usd.acmebank.connector,g.crypto.bitcoin.1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
	} {
		h.Set(name, value)
	}
	want := ilpcore.Reject(ilpcore.F02, "g.usd.acmebank.user12345.xclkv-909sdf", "Unreachable", nil)
	want.Trail = &ilpcore.RejectTrail{
		TriggeredAt: time.Date(2017, 12, 7, 19, 11, 21, 917_000_000, time.UTC),
		ForwardedBy: []ilpcore.Address{"g.usd.acmebank.connector", "g.crypto.bitcoin.1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
	}
	got, err := decodeResponse(h)
	if diff := cmp.Diff(want, got.reject); err != nil || !got.rejected || got.claimsFulfilled || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// Of an error only its code has to be right.
func TestClientReadsOddErrors(t *testing.T) {
	for name, test := range map[string]struct {
		header, value string
		edit          func(*ilpcore.Reply)
	}{
		"nothing else":           {"ILP-Error-Name", "", func(*ilpcore.Reply) {}},
		"a message":              {"ILP-Error-Message", "no such place", func(r *ilpcore.Reply) { r.Message = "no such place" }},
		"a message not in UTF-8": {"ILP-Error-Message", "f\xfcr", func(r *ilpcore.Reply) { r.Message = "f?r" }},
		"a long message":         {"ILP-Error-Message", strings.Repeat("m", 2000), func(r *ilpcore.Reply) { r.Message = strings.Repeat("m", maxMessage) }},
		"an origin with spaces":  {"ILP-Error-Triggered-By", "test. them", func(*ilpcore.Reply) {}},
		"a long origin":          {"ILP-Error-Triggered-By", strings.Repeat("o", ilpcore.MaxAddress+1), func(*ilpcore.Reply) {}},
		"an origin that is none": {"ILP-Error-Triggered-By", "them", func(r *ilpcore.Reply) { r.TriggeredBy = "them" }},
		"a time that is none":    {"ILP-Error-Triggered-At", "yesterday", func(*ilpcore.Reply) {}},
		"a list with holes": {"ILP-Error-Forwarded-By", " test.a ,, x,test.b,", func(r *ilpcore.Reply) {
			r.Trail.ForwardedBy = []ilpcore.Address{"test.a", "test.b"}
		}},
		"a list without end": {"ILP-Error-Forwarded-By", strings.Repeat("test.a,", 1000), func(r *ilpcore.Reply) {
			for range maxForwarders {
				r.Trail.ForwardedBy = append(r.Trail.ForwardedBy, "test.a")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			want := ilpcore.Reject(ilpcore.T02, "", "", nil)
			want.Trail = new(ilpcore.RejectTrail)
			test.edit(&want)
			got, err := decodeResponse(http.Header{codeHeader: {"T02"}, http.CanonicalHeaderKey(test.header): {test.value}})
			if diff := cmp.Diff(want, got.reject); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			if _, err := got.reject.Append(nil); err != nil {
				t.Errorf("it cannot go on over another link: %v", err)
			}
		})
	}
	split, err := decodeResponse(http.Header{codeHeader: {"T02"}, forwardedByHeader: {"test.a", "test.b,test.c"}})
	if err != nil || len(split.reject.Trail.ForwardedBy) != 3 {
		t.Errorf("a list in two lines: %+v, %v", split, err)
	}
}

func FuzzResponse(f *testing.F) {
	f.Add(formatHash(testFulfillment), "", "", "", "", "")
	f.Add("", "F02", "test.them", "2017-12-07T19:11:21.917Z", "test.a,test.b", "no such place")
	f.Add("", "F99", "\r\nX: y", "0000-00-00T00:00:00Z", ",,test.a\n,", "\xff\r\n")
	f.Fuzz(func(t *testing.T, fulfillment, code, by, at, forwarded, text string) {
		h := http.Header{
			fulfillmentHeader: {fulfillment}, codeHeader: {code}, triggeredByHeader: {by}, triggeredAtHeader: {at},
			forwardedByHeader: {forwarded}, messageHeader: {text},
		}
		a, err := decodeResponse(h)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := parseHash(formatHash(a.fulfillment)); a.fulfilled && (err != nil || b != a.fulfillment) {
			t.Errorf("%x is written and read as %x, %v", a.fulfillment, b, err)
		}
		if !a.rejected {
			return
		}
		// It can be passed on, over a binary link and over one like this, where it says the same, with our name at the end of the list.
		if _, err := a.reject.Append(nil); err != nil {
			t.Fatal(err)
		}
		again := http.Header{}
		if _, err := encodeReply(again, &a.reject, "test.us", time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		for name, values := range again {
			for _, c := range []byte(values[0]) {
				if len(values) != 1 || c < ' ' || c > '~' {
					t.Fatalf("%s: %q", name, values)
				}
			}
		}
		b, err := decodeResponse(again)
		if err != nil || b.reject.Code != a.reject.Code || b.reject.TriggeredBy != a.reject.TriggeredBy || b.claimsFulfilled {
			t.Errorf("%+v becomes %+v, %v", a, b, err)
		}
	})
}
