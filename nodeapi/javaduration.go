package nodeapi

// This file reads and writes durations as ISO 8601 has them, PT1H30M, without a calendar: days have 24 hours, and there are no months.

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,3})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})(?:\.(\d{1,9}))?S)?)?$`)

// maxLifetime is how long a token of ours may be good, and longer than any link lets it be.
const maxLifetime = 366 * 24 * time.Hour

// parseISODuration reads a duration from 1 second to maxLifetime, exactly to the nanosecond.
func parseISODuration(text string) (d time.Duration, ok bool) {
	text = strings.ToUpper(text)
	parts := isoDuration.FindStringSubmatch(text)
	if parts == nil || strings.HasSuffix(text, "T") {
		return 0, false
	}
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, err := strconv.ParseInt("0"+parts[i+1], 10, 64)
		if err != nil || n > int64(maxLifetime/unit) {
			return 0, false
		}
		d += time.Duration(n) * unit
	}
	nanoseconds, err := strconv.ParseInt((parts[5] + "000000000")[:9], 10, 64)
	d += time.Duration(nanoseconds)
	return d, err == nil && d >= time.Second && d <= maxLifetime
}

// formatISODuration writes a duration that parseISODuration reads, as java.time.Duration does.
func formatISODuration(d time.Duration) string {
	var b strings.Builder
	b.WriteString("PT")
	if hours := d / time.Hour; hours > 0 {
		fmt.Fprintf(&b, "%dH", hours)
	}
	if minutes := d % time.Hour / time.Minute; minutes > 0 {
		fmt.Fprintf(&b, "%dM", minutes)
	}
	seconds, fraction := d%time.Minute/time.Second, d%time.Second
	switch {
	case fraction > 0:
		fmt.Fprintf(&b, "%d.%sS", seconds, strings.TrimRight(fmt.Sprintf("%09d", fraction), "0"))
	case seconds > 0:
		fmt.Fprintf(&b, "%dS", seconds)
	}
	return b.String()
}
