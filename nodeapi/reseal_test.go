package nodeapi

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"testing"
)

// TestANewSecretTakesTheOldOnesPlace has the node's secret change with the old one behind the new, and then gives up the old one.
func TestANewSecretTakesTheOldOnesPlace(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "store"))
	d := openDirectory(t, s)
	seal := func(secret string) Sealed {
		sealed, err := d.Keeper().Seal(secret)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	key, _ := hex.DecodeString(javaKey)
	for _, err := range []error{
		d.PutAccount(t.Context(), Settings{
			ID:     "bob",
			HTTP:   HTTPLink{Incoming: []Credential{{Secret: seal("in")}, {Secret: seal("in 2")}}, Outgoing: &Credential{Secret: seal("out")}},
			BTP:    BTPLink{Incoming: seal("btp in"), Outgoing: seal("btp out")},
			Custom: map[string]any{"a": string(seal("custom")), "b": "plain", "c": 1.0}, Engine: Engine{Custom: map[string]any{"d": seal("engine")}},
		}),
		d.PutAccount(t.Context(), Settings{ID: "lost", BTP: BTPLink{Outgoing: "enc:jks:a:b:1:aes_gcm:AAAA"}}),
		d.ImportKey(t.Context(), "jks", key),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	next := bytes.Repeat([]byte{7}, 32)
	d.Keeper().Use([][]byte{next, testSecret})
	for range 2 { // the second time nothing is left to do
		if err := d.reseal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	again, err := OpenDirectory(s, NewKeeper([][]byte{next}, rand.Reader))
	if err != nil {
		t.Fatal(err)
	}
	bob, err := again.Account("bob")
	if err != nil {
		t.Fatal(err)
	}
	for want, sealed := range map[string]Sealed{
		"in": bob.HTTP.Incoming[0].Secret, "in 2": bob.HTTP.Incoming[1].Secret, "out": bob.HTTP.Outgoing.Secret,
		"custom": Sealed(bob.Custom["a"].(string)), "engine": Sealed(bob.Engine.Custom["d"].(string)),
		"btp in": bob.BTP.Incoming, "btp out": bob.BTP.Outgoing,
		"shh": "enc:JKS:crypto.p12:secret0:1:aes_gcm:AAAADKZPmASojt1iayb2bPy4D-Toq7TGLTN95HzCQAeJtz0=",
	} {
		if got, err := again.Keeper().Open(sealed); got != want || err != nil {
			t.Errorf("%s opens as %q, %v", want, got, err)
		}
	}
	if lost, err := again.Account("lost"); err != nil || lost.BTP.Outgoing != "enc:jks:a:b:1:aes_gcm:AAAA" {
		t.Errorf("what does not open became %v, %v", lost, err)
	}
}
