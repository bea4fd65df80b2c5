package ccp

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Messages as the JavaScript implementation writes them.
const (
	goldenControl = "0170d1a134a0df4f47964f6e19e2ab379000000020010203666f6f03626172"
	goldenEmpty   = "21e55f8eabcd4e979ab9bf0ff00a224c000000340000003400000034000075300d6578616d706c652e616c69636501000100"
)

var fullUpdate = Update{
	Table: TableID{1, 2, 3}, Epoch: 52, From: 46, To: 50, HoldDown: 45 * time.Second, Speaker: "example.alice",
	Routes: []Route{
		{Prefix: "example.prefix1", Path: []string{"example.prefix1"}, Auth: [32]byte{7}},
		{Prefix: "example.prefix2", Path: []string{"example.connector1", "example.prefix2"}, Properties: []Property{
			{Flags: Optional | Transitive | UTF8, ID: 0, Value: []byte("hello world")}, {Flags: Partial, ID: 0x102, Value: []byte{}},
		}},
	},
	Withdrawn: []string{"example.prefix3", "example.prefix4"},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestControl(t *testing.T) {
	want := Control{Mode: Sync, LastEpoch: 32, Features: []string{"foo", "bar"}}
	copy(want.LastTable[:], unhex(t, "70d1a134a0df4f47964f6e19e2ab3790"))
	data := unhex(t, goldenControl)
	got, err := DecodeControl(append(data, "later versions"...))
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %s", err, cmp.Diff(want, got))
	}
	if encoded := want.Append([]byte("x")); !bytes.Equal(encoded[1:], data) {
		t.Errorf("encoded as %x", encoded)
	}
	for n := range data {
		if _, err := DecodeControl(data[:n]); err != ErrControl {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	data[0] = 2
	if _, err := DecodeControl(data); err != ErrControl {
		t.Errorf("a third mode: %v", err)
	}
}

func TestUpdate(t *testing.T) {
	data := unhex(t, goldenEmpty)
	got, err := DecodeUpdate(data)
	if err != nil || got.Epoch != 52 || got.From != 52 || got.To != 52 || got.HoldDown != 30*time.Second || got.Speaker != "example.alice" ||
		len(got.Routes)+len(got.Withdrawn) != 0 || !bytes.Equal(got.Append(nil), data) {
		t.Errorf("%+v, %v; encoded again %x", got, err, got.Append(nil))
	}
	data = fullUpdate.Append(nil)
	got, err = DecodeUpdate(append(data, 1, 2, 3))
	if err != nil || !cmp.Equal(got, fullUpdate, cmp.Transformer("", func(b []byte) string { return string(b) })) {
		t.Errorf("%v, %s", err, cmp.Diff(fullUpdate, got))
	}
	for n := range data {
		if _, err := DecodeUpdate(data[:n]); err != ErrUpdate {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	backwards := fullUpdate
	backwards.From = 51
	if _, err := DecodeUpdate(backwards.Append(nil)); err != ErrUpdate {
		t.Errorf("epochs that go back: %v", err)
	}
}

// TestCountsAreOnlyWords: a count beyond what is there costs neither memory nor time.
func TestCountsAreOnlyWords(t *testing.T) {
	control := append(unhex(t, goldenControl)[:21], 8, 255, 255, 255, 255, 255, 255, 255, 255)
	update := append(unhex(t, goldenEmpty)[:50-4], 8, 255, 255, 255, 255, 255, 255, 255, 255)
	if got := testing.AllocsPerRun(10, func() {
		if _, err := DecodeControl(control); err != ErrControl {
			t.Fatal(err)
		}
		if _, err := DecodeUpdate(update); err != ErrUpdate {
			t.Fatal(err)
		}
	}); got > 5 {
		t.Errorf("%v allocations", got)
	}
}

func FuzzControl(f *testing.F) {
	f.Add(unhex(f, goldenControl))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeControl(data)
		if err != nil {
			return
		}
		if again, err := DecodeControl(c.Append(nil)); err != nil || !cmp.Equal(again, c) {
			t.Errorf("%v: %s", err, cmp.Diff(c, again))
		}
	})
}

func FuzzUpdate(f *testing.F) {
	f.Add(unhex(f, goldenEmpty))
	f.Add(fullUpdate.Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		u, err := DecodeUpdate(data)
		if err != nil {
			return
		}
		again, err := DecodeUpdate(u.Append(nil))
		if err != nil || !cmp.Equal(again, u) {
			t.Errorf("%v: %s", err, cmp.Diff(u, again))
		}
	})
}
