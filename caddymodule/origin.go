package caddymodule

// This file remembers where in a Caddyfile a line stands, so that a mistake which shows only later can be named with file and line.

import (
	"fmt"
	"slices"
)

// origin is where the lines of one block stand in a Caddyfile. Configs in JSON have none.
type origin struct {
	// Source is the file and line, such as "Caddyfile:12", of an account, and of what holds a placeholder, by the name of the option. A
	// placeholder shows whether it can be used only when the config is loaded, maybe by another process; the error then names the line,
	// as the node's API does when somebody wants to change an account of the Caddyfile. Nothing else depends on it.
	Source map[string]string `json:"source,omitempty"`

	all map[string]string // while the Caddyfile is read: the same of every line
}

// note remembers the line that l is at, under a name for it. l has yet to read what stands on the line.
func (o *origin) note(l lines, name string) {
	if o.all == nil {
		o.all = map[string]string{}
	}
	o.all[name] = place(l)
	ahead := *l.Dispenser
	if slices.ContainsFunc(ahead.RemainingArgs(), hasPlaceholder) {
		o.keep(l, name)
	}
}

// keep is note for a line whose place goes into the config in any case.
func (o *origin) keep(l lines, name string) {
	if o.all == nil {
		o.all = map[string]string{}
	}
	if o.Source == nil {
		o.Source = map[string]string{}
	}
	o.all[name], o.Source[name] = place(l), place(l)
}

func place(l lines) string { return fmt.Sprintf("%s:%d", l.File(), l.Line()) }

// at adds to err where the line of that name stands, if that is known.
func (o *origin) at(name string, err error) error {
	place := o.all[name]
	if place == "" {
		place = o.Source[name]
	}
	if err == nil || place == "" {
		return err
	}
	return fmt.Errorf("%w, at %s", err, place)
}

// placed returns the first of the names whose line is known; "" if none is.
func (o *origin) placed(names ...string) string {
	for _, name := range names {
		if o.all[name] != "" || o.Source[name] != "" {
			return name
		}
	}
	return ""
}
