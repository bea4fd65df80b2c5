package nodeapi

import (
	"errors"
	"testing"
)

// TestTakeOver wants that the API before makes no changes any more, and that those it has made are known to the next.
func TestTakeOver(t *testing.T) {
	first := newBed(t, nil)
	first.TakeOver()
	if _, err := first.create(t.Context(), Settings{ID: "bob", Relation: "peer", Asset: Asset{"USD", 9}}); err != nil {
		t.Fatal(err)
	}
	second := newBed(t, func(c *Config) { c.Directory = first.directory })
	second.OpenAccounts()
	if _, err := first.create(t.Context(), Settings{ID: "late", Relation: "peer", Asset: Asset{"USD", 9}}); err != nil {
		t.Fatal(err)
	}
	if _, err := first.remove(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	second.TakeOver()
	if _, ok := second.node.Account("late"); !ok {
		t.Error("an account that was made in between is not open")
	}
	if _, ok := second.node.Account("bob"); ok {
		t.Error("an account that was removed in between is open")
	}
	for _, err := range []error{
		errorOf(first.create(t.Context(), Settings{ID: "lost", Relation: "peer", Asset: Asset{"USD", 9}})),
		errorOf(first.remove(t.Context(), "late")), first.setRates(t.Context(), map[string]string{"USD": "1"}),
	} {
		if !errors.Is(err, ErrReplaced) {
			t.Errorf("the API before answers %v", err)
		}
	}
	if _, err := second.create(t.Context(), Settings{ID: "new", Relation: "peer", Asset: Asset{"USD", 9}}); err != nil {
		t.Error(err)
	}
}

func errorOf(_ Settings, err error) error { return err }
