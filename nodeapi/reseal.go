package nodeapi

// This file encrypts secrets anew when the node's secret has changed, so that the old one can be given up.

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/paydoor/paydoor/store"
)

// current says whether s is encrypted with the key that seals now. "" is.
func (k *Keeper) current(s Sealed) bool {
	if s == "" {
		return true
	}
	keystore, message, err := s.parse()
	if err != nil || keystore != "paydoor" {
		return false
	}
	_, err = k.keys(keystore)[0].Open(nil, message[4:4+vectorSize], message[4+vectorSize:], nil)
	return err == nil
}

// renew encrypts s with the key that seals now. One that does not open stays as it is: its secret may come back.
func (k *Keeper) renew(s Sealed) Sealed {
	if k.current(s) {
		return s
	}
	secret, err := k.Open(s)
	if err != nil {
		return s
	}
	if renewed, err := k.Seal(secret); err == nil {
		return renewed
	}
	return s
}

// renew returns s with its secrets encrypted anew, and whether that has changed any.
func (s Settings) renew(k *Keeper) (Settings, bool) {
	before := s
	s.HTTP.Incoming = slices.Clone(s.HTTP.Incoming)
	for i := range s.HTTP.Incoming {
		s.HTTP.Incoming[i].Secret = k.renew(s.HTTP.Incoming[i].Secret)
	}
	changed := !slices.Equal(s.HTTP.Incoming, before.HTTP.Incoming)
	if s.HTTP.Outgoing != nil {
		outgoing := *s.HTTP.Outgoing
		outgoing.Secret = k.renew(outgoing.Secret)
		changed = changed || outgoing != *s.HTTP.Outgoing
		s.HTTP.Outgoing = &outgoing
	}
	s.BTP.Incoming, s.BTP.Outgoing = k.renew(s.BTP.Incoming), k.renew(s.BTP.Outgoing)
	changed = changed || s.BTP != before.BTP
	for _, custom := range []*map[string]any{&s.Custom, &s.Engine.Custom} {
		if renewed := k.renewCustom(*custom); renewed != nil {
			*custom, changed = renewed, true
		}
	}
	return s, changed
}

// renewCustom returns a copy of custom settings with the secrets among them encrypted anew; nil if there was none to.
func (k *Keeper) renewCustom(custom map[string]any) (renewed map[string]any) {
	for key, value := range custom {
		text, ok := value.(string)
		if sealed, is := value.(Sealed); is {
			text, ok = string(sealed), true
		}
		if !ok || !strings.HasPrefix(text, sealedPrefix) {
			continue
		}
		if after := k.renew(Sealed(text)); string(after) != text {
			if renewed == nil {
				renewed = maps.Clone(custom)
			}
			renewed[key] = string(after)
		}
	}
	return renewed
}

// reseal encrypts everything in the Directory with the key that seals now.
func (d *Directory) reseal(ctx context.Context) error {
	for _, s := range d.Accounts() {
		renewed, changed := s.renew(d.keeper)
		if !changed {
			continue
		}
		if err := d.PutAccount(ctx, renewed); err != nil {
			return err
		}
	}
	renewed := make(map[string]Sealed)
	err := d.store.Iterate([]byte(importKey), func(key, value []byte) error {
		if s := Sealed(value); !d.keeper.current(s) {
			renewed[string(key)] = d.keeper.renew(s)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the imported keys: %w", err)
	}
	if len(renewed) == 0 {
		return nil
	}
	return d.change(ctx, func(g *store.Group) {
		for key, s := range renewed {
			g.Put([]byte(key), []byte(s))
		}
	})
}
