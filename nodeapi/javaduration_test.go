package nodeapi

import (
	"testing"
	"time"
)

func TestISODurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT1S": time.Second, "PT15M": 15 * time.Minute, "PT1H30M": 90 * time.Minute, "P1D": 24 * time.Hour, "p1dt1.000000001s": 24*time.Hour + time.Second + 1,
		"P366D": 366 * 24 * time.Hour, "PT900S": 15 * time.Minute, "PT8784H": 366 * 24 * time.Hour,
	} {
		got, ok := parseISODuration(text)
		if !ok || got != want {
			t.Errorf("%s is %v %v, want %v", text, got, ok, want)
		}
		if again, ok := parseISODuration(formatISODuration(got)); !ok || again != got {
			t.Errorf("%v is written %s, which is %v %v", got, formatISODuration(got), again, ok)
		}
	}
	for want, d := range map[string]time.Duration{"PT15M": 15 * time.Minute, "PT1.5S": 1500 * time.Millisecond, "PT26H1S": 26*time.Hour + time.Second} {
		if got := formatISODuration(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
	for _, bad := range []string{"", "P", "PT", "P1DT", "PT0S", "PT0.999999999S", "-PT5M", "PT-5M", "P1M", "P1Y", "5m", "PT1.S", "PT366D", "P367D", "PT8785H", "PT999999999S",
		"PT1S ", "PT9999999M", "PT1.0000000001S"} {
		if got, ok := parseISODuration(bad); ok {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

func FuzzISODuration(f *testing.F) {
	f.Add("P1DT2H3M4.5S")
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := parseISODuration(text)
		if !ok {
			return
		}
		if again, ok := parseISODuration(formatISODuration(d)); d < time.Second || d > maxLifetime || !ok || again != d {
			t.Errorf("%q is %v, then %v %v", text, d, again, ok)
		}
	})
}
