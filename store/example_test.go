package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/paydoor/paydoor/store"
)

func Example() {
	ctx := context.Background()
	parent, err := os.MkdirTemp("", "store")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(parent)
	s, err := store.Open(ctx, filepath.Join(parent, "ledger"), store.Options{})
	if err != nil {
		panic(err)
	}
	ticket, err := s.Join(func(g *store.Group) {
		g.Put([]byte("greeting"), []byte("hello"))
		g.AfterCommit(func() { fmt.Println("on disk") })
	})
	if err == nil {
		err = ticket.Wait(ctx)
	}
	if err != nil {
		panic(err)
	}
	value, err := s.Get([]byte("greeting"))
	fmt.Println(string(value), err)
	fmt.Println(s.Close())
	// Output:
	// on disk
	// hello <nil>
	// <nil>
}
