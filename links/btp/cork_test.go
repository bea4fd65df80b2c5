package btp

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

func TestCorkSendsTogether(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	c := &corked{Conn: near, timeout: time.Second}
	reads := make(chan string, 10)
	go func() {
		defer close(reads)
		b := make([]byte, 200<<10)
		for {
			n, err := far.Read(b)
			if err != nil {
				return
			}
			reads <- string(b[:n])
		}
	}()
	write := func(s string) {
		if _, err := c.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	c.cork()
	write("two")
	write("three")
	if err := c.uncork(); err != nil {
		t.Fatal(err)
	}
	write("four")
	big := strings.Repeat("x", maxGathered)
	c.cork()
	write("five")
	write(big)
	if err := c.uncork(); err != nil {
		t.Fatal(err)
	}
	near.Close()
	var got []string
	for s := range reads {
		got = append(got, s)
	}
	if want := []string{"one", "twothree", "four", "five", big}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d reads", len(got))
	}
}
