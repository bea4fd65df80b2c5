package nodeapi

// This file encrypts secrets anew when the node's secret has changed, so that the old one can be given up.

import (
	"context"
	"fmt"
	"slices"

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
	return s, changed || s.BTP != before.BTP
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
