package btp

// This file authenticates the side that has dialled (RFC 23, section "Authentication").

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// ErrRefused says that the peer did not accept our account and token.
var ErrRefused = errors.New("the peer refused our BTP credentials")

// authenticate sends the auth message that JavaScript clients send, and waits for the answer. Other frames are ignored meanwhile. On error
// the connection is of no use any more.
func authenticate(ctx context.Context, conn *socket, u URL, random io.Reader) error {
	stop := conn.within(ctx)
	defer stop()
	id, err := randomID(random)
	if err != nil {
		return err
	}
	message := frames.AuthMessage(id, frames.Auth{Username: u.User, Token: u.Token})
	b := takeBuffer()
	defer b.release()
	if b.out, err = message.Append(b.out[:0]); err != nil {
		return fmt.Errorf("encode the auth message: %w", err)
	}
	err = conn.write(opBinary, b.out)
	clear(b.out) // the next user of the buffer has no business with the token
	if err != nil {
		return closed(err)
	}
	for {
		opcode, data, err := conn.next()
		if err != nil {
			return closed(err)
		}
		var f frames.Frame
		if opcode != opBinary || f.Decode(data) != nil || f.RequestID != id {
			continue
		}
		switch f.Type {
		case frames.TypeResponse:
			return nil
		case frames.TypeError:
			return fmt.Errorf("%w: %s %q", ErrRefused, withoutSecret([]byte(f.Error.Error()), u.Token), withoutSecret(f.Error.Data, u.Token))
		}
	}
}

// withoutSecret returns what the peer says for people, cut to a line's length. A peer that repeats our token does not get it into a log.
func withoutSecret(text []byte, token string) string {
	s := strings.ReplaceAll(strings.ToValidUTF8(string(text), "?"), token, "***")
	return s[:min(len(s), 200)]
}

func randomID(random io.Reader) (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("read randomness for a request id: %w", err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}
