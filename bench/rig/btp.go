package rig

// This file is the server's part of a BTP login (RFC 23).

import (
	"context"
	"crypto/subtle"
	"errors"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore/btp"
)

// Authenticate takes the login of a peer that has connected, and lets in who knows the secret.
func Authenticate(ctx context.Context, conn *websocket.Conn, secret string) (auth btp.Auth, err error) {
	var frame btp.Frame
	_, message, err := conn.Read(ctx)
	if err == nil {
		err = frame.Decode(message)
	}
	if err == nil {
		auth, err = btp.ParseAuth(&frame)
	}
	if err == nil && subtle.ConstantTimeCompare([]byte(auth.Token), []byte(secret)) != 1 {
		err = errors.New("a wrong token")
	}
	if err != nil {
		return auth, err
	}
	welcome := btp.Frame{Type: btp.TypeResponse, RequestID: frame.RequestID}
	answer, err := welcome.Append(nil)
	if err == nil {
		err = conn.Write(ctx, websocket.MessageBinary, answer)
	}
	return auth, err
}
