package nodeapi

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestExactBalance(t *testing.T) {
	b := rustBed(t, nil)
	const exact = `{"asset_code":"XYZ","asset_scale":6,"clearing":"0","net":"0","prepaid":"0"}`
	for _, authorization := range []string{asAlice, asAlice10, asAdmin, basic} {
		for accept, want := range map[string]bool{
			"application/vnd.paydoor+json, application/json;q=0.5": true, "text/html, application/vnd.paydoor+json": true, "*/*": false, "": false,
			"application/vnd.paydoor+json;q=0": false,
		} {
			r := httptest.NewRequest("GET", "/accounts/alice/balance", nil)
			r.Header.Set("Authorization", authorization)
			r.Header.Set("Accept", accept)
			w := httptest.NewRecorder()
			b.ServeHTTP(w, r)
			if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || (got == exact) != want {
				t.Errorf("%s with %q: %d %s", authorization, accept, w.Code, got)
			}
		}
	}
}

func TestRouteAsTextInJava(t *testing.T) {
	b := rustBed(t, nil)
	r := httptest.NewRequest("PUT", "/routes/static/test.elsewhere", strings.NewReader("alice"))
	r.Header.Set("Authorization", basic)
	r.Header.Set("Content-Type", "text/plain")
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	if w.Code != 200 || w.Body.String() != "alice" || b.listedRoutes(t)["test.elsewhere"] != "alice" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
