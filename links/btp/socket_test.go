package btp

// This file reads messages from sockets that bring them in all shapes.

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// stream is what a peer has written, and where the answers go.
type stream struct {
	io.Reader
	io.Writer
}

var testKey = [4]byte{1, 2, 3, 4}

// masked is a frame of a peer that has dialled.
func masked(opcode byte, payload string) []byte {
	return appendFrame(nil, opcode, &testKey, []byte(payload))
}

// unfinished makes a frame one that others follow.
func unfinished(frame []byte) []byte {
	frame[0] &^= 0x80
	return frame
}

// What a peer says is read whole, however its bytes arrive; Pings on the way are answered.
func TestSocketReads(t *testing.T) {
	long := string(bytes.Repeat([]byte("0123456789"), 6000))
	for name, test := range map[string]struct {
		frames  [][]byte
		want    []string // messages
		err     error
		answers string
	}{
		"messages":        {[][]byte{masked(opBinary, "one"), masked(opText, "two"), masked(opBinary, "")}, []string{"one", "two", ""}, io.EOF, ""},
		"long":            {[][]byte{masked(opBinary, "one"), masked(opBinary, long), masked(opBinary, "two")}, []string{"one", long, "two"}, io.EOF, ""},
		"too long":        {[][]byte{masked(opBinary, long+long)}, nil, errTooBig, ""},
		"fragments":       {[][]byte{unfinished(masked(opBinary, "o")), unfinished(masked(opContinue, "n")), masked(opContinue, "e"), masked(opBinary, "two")}, []string{"one", "two"}, io.EOF, ""},
		"long fragments":  {[][]byte{unfinished(masked(opBinary, long)), masked(opContinue, long)}, nil, errTooBig, ""},
		"Ping in between": {[][]byte{unfinished(masked(opBinary, "o")), masked(opPing, "here?"), masked(opPong, "x"), masked(opContinue, "ne")}, []string{"one"}, io.EOF, "\x8a\x05here?"},
		"no first":        {[][]byte{masked(opContinue, "x")}, nil, errFragment, ""},
		"no last":         {[][]byte{unfinished(masked(opBinary, "x")), masked(opBinary, "x")}, nil, errFragment, ""},
		"not masked":      {[][]byte{appendFrame(nil, opBinary, nil, []byte("x"))}, nil, errMask, ""},
		"Close":           {[][]byte{masked(opBinary, "one"), masked(opClose, "\x03\xe8"), masked(opBinary, "two")}, []string{"one"}, peerClosed{1000}, ""},
		"broken off":      {[][]byte{masked(opBinary, "one")[:7]}, nil, io.EOF, ""},
		"reserved":        {[][]byte{{0xc2, 0x80, 1, 2, 3, 4}}, nil, errReserved, ""},
	} {
		said := slices.Concat(test.frames...)
		for how, reader := range map[string]io.Reader{
			"whole": bytes.NewReader(said), "bytes": iotest.OneByteReader(bytes.NewReader(said)), "halves": iotest.HalfReader(bytes.NewReader(said)),
			"with the end": iotest.DataErrReader(bytes.NewReader(said)),
		} {
			var answers bytes.Buffer
			s := newSocket(nil, stream{reader, &answers}, false, frames.MaxFrame)
			var got []string
			var err error
			for err == nil {
				var data []byte
				if _, data, err = s.next(); err == nil {
					got = append(got, string(data))
				}
			}
			if !slices.Equal(got, test.want) || !errors.Is(err, test.err) || answers.String() != test.answers {
				t.Errorf("%s, %s: %d messages, %v, answers %q", name, how, len(got), err, answers.String())
			}
		}
	}
}

// A side that has dialled masks, each frame with another key, and takes no masked frame.
func TestSocketMasks(t *testing.T) {
	var written bytes.Buffer
	s := newSocket(nil, stream{bytes.NewReader(masked(opBinary, "x")), &written}, true, frames.MaxFrame)
	keys := make(map[[4]byte]bool)
	for range 1000 {
		written.Reset()
		if err := s.write(opBinary, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		var h frameHead
		size, err := h.decode(written.Bytes())
		if err != nil || !h.masked {
			t.Fatalf("%+v, %v", h, err)
		}
		payload := written.Bytes()[size:]
		if mask(payload, h.key); string(payload) != "hello" {
			t.Fatalf("wrote %q", payload)
		}
		keys[h.key] = true
	}
	if len(keys) < 990 {
		t.Errorf("%d keys for 1000 frames", len(keys))
	}
	if _, _, err := s.next(); !errors.Is(err, errMask) {
		t.Errorf("a masked frame: %v", err)
	}
}

// Nothing of a message is left in the memory of the connection once it was wiped, however the message came.
func TestSocketWipes(t *testing.T) {
	for name, said := range map[string][]byte{
		"whole":        masked(opBinary, testToken),
		"in fragments": slices.Concat(unfinished(masked(opBinary, testToken)), masked(opContinue, "")),
	} {
		s := newSocket(nil, stream{iotest.OneByteReader(bytes.NewReader(said)), io.Discard}, false, frames.MaxFrame)
		_, data, err := s.next()
		if err != nil || !bytes.Contains(data, []byte(testToken)) {
			t.Fatalf("%s: %q, %v", name, data, err)
		}
		s.wipe()
		if all := slices.Concat(s.in, s.parts[:cap(s.parts)]); bytes.Contains(all, []byte(testToken[:8])) {
			t.Errorf("%s: the message is still there", name)
		}
	}
}

// A peer that breaks the protocol, or says goodbye, is told with the status that belongs to it.
func TestSessionAnswersTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		says []byte
		want []byte // payload of the Close
	}{
		"protocol":  {[]byte{0xc2, 0x80, 1, 2, 3, 4}, []byte("\x03\xea")},
		"too long":  {appendFrame(nil, opBinary, &testKey, make([]byte, frames.MaxFrame+1)), []byte("\x03\xf1")},
		"goodbye":   {masked(opClose, "\x03\xe8ciao"), []byte("\x03\xe8")},
		"no status": {masked(opClose, ""), nil},
	} {
		near, far := net.Pipe()
		s, err := newEndpoint(Config{Handler: fulfilling}, quick()).newSession(t.Context(), newSocket(&corked{Conn: near, timeout: time.Second}, near, false, frames.MaxFrame))
		if err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { _ = s.run() })
		running.Go(func() { _, _ = far.Write(test.says) })
		got, err := io.ReadAll(far)
		running.Wait()
		if err != nil || !bytes.Equal(got, appendFrame(nil, opClose, nil, test.want)) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// startingLink answers packets later, from another goroutine.
type startingLink struct {
	ilpcore.Handler
	askers chan ilpcore.Asker
}

func (l startingLink) StartPrepare(_ context.Context, in ilpcore.Incoming, asker ilpcore.Asker, _ *ilpcore.Burst) bool {
	if string(in.Data) == "wait" {
		return false
	}
	l.askers <- asker
	return true
}

// asker keeps the answer.
type asker chan ilpcore.Reply

func (a asker) Answered(reply ilpcore.Reply, _ *ilpcore.Burst) { a <- reply }

// Packets that nobody waits for, on either end, get their answers, as do those that must be waited for; and lost and late ones have theirs.
func TestStartPrepare(t *testing.T) {
	handler := startingLink{fulfilling, make(chan ilpcore.Asker, 1000)}
	far := newEndpoint(Config{Account: "far", Handler: handler}, quick())
	near, session := pair(t, far, fulfilling)
	start := func(p ilpcore.Prepare) asker {
		a := make(asker, 2)
		for !near.StartPrepare(t.Context(), ilpcore.Incoming{Prepare: p}, a, nil) {
			time.Sleep(time.Millisecond) // the queue is full
		}
		return a
	}
	got := func(a asker) ilpcore.Reply {
		select {
		case reply := <-a:
			return reply
		case <-time.After(10 * time.Second):
			t.Fatal("no answer")
		}
		return ilpcore.Reply{}
	}
	var all []asker
	for range 2 * queued {
		all = append(all, start(testPrepare()))
	}
	for range all {
		(<-handler.askers).Answered(ilpcore.Fulfill(testFulfillment, []byte("later")), nil)
	}
	for _, a := range all {
		if reply := got(a); !reply.Fulfilled || string(reply.Data) != "later" {
			t.Fatalf("%+v", reply)
		}
	}
	waited := testPrepare()
	waited.Data = []byte("wait")
	if reply := got(start(waited)); !reply.Fulfilled || string(reply.Data) != "wait" {
		t.Errorf("one to be waited for: %+v", reply)
	}
	if reply := got(start(soon())); reply.Code != ilpcore.R00 {
		t.Errorf("not in time: %+v", reply)
	}
	(<-handler.askers).Answered(ilpcore.Fulfill(testFulfillment, nil), nil) // too late
	expired := testPrepare()
	expired.ExpiresAt = time.Now().Add(-time.Second)
	if reply := got(start(expired)); reply.Code != ilpcore.R00 {
		t.Errorf("expired: %+v", reply)
	}
	broken := testPrepare()
	broken.Destination = nil
	if reply := got(start(broken)); reply.Code != ilpcore.F01 {
		t.Errorf("not to be encoded: %+v", reply)
	}
	dangling := start(testPrepare())
	<-handler.askers
	session.end(errRetired)
	if reply := got(dangling); reply.Code != ilpcore.T01 {
		t.Errorf("the link went down: %+v", reply)
	}
	near.Close()
	if reply := got(start(testPrepare())); reply.Code != ilpcore.T01 {
		t.Errorf("the link is down: %+v", reply)
	}
	if len(far.slots) != 1 { // of the packet that nobody answers
		t.Errorf("%d slots are taken", len(far.slots))
	}
	for _, a := range all {
		if len(a) > 0 {
			t.Error("answered twice")
		}
	}
}

// A link that is dialled counts what nobody waits for as under way, until it is answered.
func TestAwaitedStartPrepare(t *testing.T) {
	a := newAwaited(t, nil)
	reply := make(asker, 1)
	a.StartPrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}, reply, nil)
	if (<-reply).Code != ilpcore.T01 {
		t.Error("not connected, and not T01")
	}
	p := newEntrance(t, ListenerConfig{}, quick(), a).enter(t)
	waitUp(t, a, true)
	a.StartPrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()}, reply, nil)
	f, _ := p.read()
	session := a.session.Load()
	if n := session.busy.state.Load(); n != 1 {
		t.Errorf("%d packets are under way", n)
	}
	p.ilp(frames.TypeResponse, f.RequestID, replyBytes(t, ilpcore.Fulfill(testFulfillment, []byte("x"))))
	if reply := <-reply; !reply.Fulfilled || string(reply.Data) != "x" {
		t.Errorf("%+v", reply)
	}
	if n := session.busy.state.Load(); n != 0 {
		t.Errorf("%d packets are under way", n)
	}
}
