//go:build linux

package main

// This file turns figures into tables, and puts them into the document.

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// report is what a run has found.
type report struct {
	options
	machine  string
	requests []line
	idle     []line
	packets  []*road
	through  through
	senders  senders
	others   float64 // share of the processors that was used by others, the largest of any part

	charges, credited, held uint64
}

// noteOthers notes what others used since before.
func (r *report) noteOthers(before usage, gateways ...*gateway) error {
	share, err := before.others(gateways...)
	r.others = max(r.others, share)
	return err
}

// markdown is all that was found.
func (r *report) markdown() (text string) {
	for _, p := range r.parts() {
		text += p.text
	}
	return text
}

// part is tables with their own place in the document, so that they can be measured alone.
type part struct{ begin, text string }

// parts are those that were measured.
func (r *report) parts() (all []part) {
	if r.only != "sender" {
		all = append(all, part{tablesBegin, r.gateways()})
	}
	var b strings.Builder
	if r.senders.write(&b); b.Len() > 0 {
		all = append(all, part{sendersBegin, r.measured() + b.String()})
	}
	return all
}

func (r *report) measured() string {
	return fmt.Sprintf("Measured on %s. %d slices of %v for each side, %d of packets; others used %.0f %% of the processors meanwhile.\n",
		r.machine, r.rounds, r.slice, max(1, r.rounds/2), 100*r.others)
}

// gateways is what was found of gateways and nodes.
func (r *report) gateways() string {
	var b strings.Builder
	b.WriteString(r.measured())
	if r.credited > 0 {
		fmt.Fprintf(&b, "The ledger agrees: %d units sent, %d requests charged, %d units left.\n", r.credited, r.charges, r.held)
	}
	if len(r.requests) > 0 {
		b.WriteString("\n### Requests\n\n" +
			"| | side | requests/s | ratio | p50 ms | p99 ms | gateway CPU µs/request | more than bare |\n|---|---|---|---|---|---|---|---|\n")
		for _, l := range r.requests {
			l.write(&b)
		}
	}
	if len(r.idle) > 0 {
		b.WriteString("\n### Idle connections to the backend\n\n" +
			"| | side | requests/s | ratio | p50 ms | p99 ms | gateway CPU µs/request | more than raised |\n|---|---|---|---|---|---|---|---|\n")
		for _, l := range r.idle {
			l.sides[0].gateway = &gateway{name: "raised"}
			l.sides[1].gateway = &gateway{name: "Caddy's default"}
			l.write(&b)
		}
	}
	if len(r.packets) > 0 {
		b.WriteString("\n### Packets\n\n| | packets/s | p50 ms | p99 ms | gateway CPU µs/packet |\n|---|---|---|---|---|\n")
		for _, p := range r.packets {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", p.name, spread(p.rates, 0), milliseconds(p.times, 50), milliseconds(p.times, 99), spread(p.cpu, 1))
		}
	}
	r.through.write(&b)
	return b.String()
}

// write appends the section about packets through the node, if it was asked for.
func (t *through) write(b *strings.Builder) {
	if len(t.lines) == 0 && t.missing == nil {
		return
	}
	b.WriteString("\n### Through the node\n\n")
	if t.missing != nil {
		fmt.Fprintf(b, "Not measured: %v.\n", t.missing)
		return
	}
	fmt.Fprintf(b, "Beside %s. All %d packets were fulfilled, and as many came out on the far side; balances compared with them: %s.\n\n", t.peer, t.count, orNone(t.balances))
	b.WriteString("| | connector | packets/s | p50 ms | p99 ms | CPU µs/packet | less CPU by a factor of |\n|---|---|---|---|---|---|---|\n")
	for _, l := range t.lines {
		for i, s := range l.sides {
			factor := ""
			if i > 0 {
				factor = bold(spread(pairwise(l.sides[0].cpu, s.cpu, ratio), 1))
			}
			fmt.Fprintf(b, "| %s, %d under way | %s | %s | %s | %s | %s | %s |\n", l.setting, l.conns, s.gateway.name,
				spread(s.rates, 0), milliseconds(s.times, 50), milliseconds(s.times, 99), spread(s.cpu, 1), factor)
		}
	}
}

// write appends the section about senders, if it was asked for.
func (s *senders) write(b *strings.Builder) {
	if len(s.lines) == 0 && s.missing == nil {
		return
	}
	b.WriteString("\n")
	if s.missing != nil {
		fmt.Fprintf(b, "Not measured: %v.\n", s.missing)
		return
	}
	fmt.Fprintf(b, "Beside %s. The receivers counted all %d units that left, in %d packets.\n\n", s.peer, s.units, s.packets)
	fmt.Fprintf(b, "| link and receiver | sender | packets/s | times the better of npm's | %d times | CPU µs/packet of the sender |\n|---|---|---|---|---|---|\n", wantedFactor)
	for _, l := range s.lines {
		for i, side := range l.sides {
			factor, met := "", ""
			if i >= len(npmSenders) {
				times := pairwise(side.rates, pairwise(l.sides[0].rates, l.sides[1].rates, math.Max), ratio)
				factor, met = bold(spread(times, 1)), "not met"
				if median(times) >= wantedFactor {
					met = "met"
				}
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", l.setting, side.gateway.name, spread(side.rates, 0), factor, met, spread(side.cpu, 1))
		}
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// bold marks the median of a spread.
func bold(spread string) string { return "**" + strings.Replace(spread, " ", "** ", 1) }

// write appends a row for each side; the first is what the others are compared with.
func (l *line) write(b *strings.Builder) {
	first := l.sides[0]
	for _, s := range l.sides {
		against, more := "", ""
		if s != first {
			against = bold(spread(pairwise(s.rates, first.rates, ratio), 2))
			more = bold(spread(pairwise(s.cpu, first.cpu, difference), 1))
		}
		fmt.Fprintf(b, "| %s, %d connections | %s | %.0f | %s | %s | %s | %.1f | %s |\n", l.setting, l.conns, s.gateway.name,
			median(s.rates), against, milliseconds(s.times, 50), milliseconds(s.times, 99), median(s.cpu), more)
	}
}

// spread is the median with the smallest and the largest value.
func spread(values []float64, digits int) string {
	return fmt.Sprintf("%.*f (%.*f..%.*f)", digits, median(values), digits, slices.Min(values), digits, slices.Max(values))
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// milliseconds is the time that so many percent of the answers took at most.
func milliseconds(times []time.Duration, percent int) string {
	if len(times) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(times))
	at := (len(sorted)*percent + 99) / 100
	return fmt.Sprintf("%.2f", float64(sorted[max(at, 1)-1])/float64(time.Millisecond))
}

// Where the parts stand in the document.
const (
	tablesBegin  = "<!-- go run ./bench writes from here -->\n"
	sendersBegin = "<!-- go run ./bench -only sender writes from here -->\n"
	tablesEnd    = "<!-- to here -->\n"
)

var errNoMarks = errors.New("the document has no place for the tables, which is between two comments")

// replaceTables writes the parts into the document's places for them.
func replaceTables(path string, parts []part) error {
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if document, err = splice(document, p); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return os.WriteFile(path, document, 0o644)
}

func splice(document []byte, p part) ([]byte, error) {
	head, rest, ok1 := bytes.Cut(document, []byte(p.begin))
	_, tail, ok2 := bytes.Cut(rest, []byte(tablesEnd))
	if !ok1 || !ok2 {
		return nil, errNoMarks
	}
	return slices.Concat(head, []byte(p.begin+"\n"+p.text+"\n"+tablesEnd), tail), nil
}
