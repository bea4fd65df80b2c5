package caddymodule

// This file answers POST /paydoor/backup: the store of the running server, as one consistent stream.

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2"
)

// backuper is what a backup needs of the store.
type backuper interface {
	Backup(ctx context.Context, w io.Writer) (sequence uint64, err error)
}

// backupSequence is the trailer with the number of the last group of changes in the backup.
const backupSequence = "Paydoor-Sequence"

func (a *adminRoutes) backup(w http.ResponseWriter, r *http.Request) error {
	b, held, err := adminLease()
	if err != nil {
		return err
	}
	defer held.end()
	if err := b.store.Err(); err != nil {
		return caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: err}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Trailer", backupSequence)
	sequence, err := any(b.store).(backuper).Backup(r.Context(), &patient{w})
	if err != nil {
		cutOff("making a backup", err)
	}
	w.Header().Set(backupSequence, strconv.FormatUint(sequence, 10))
	return nil
}
