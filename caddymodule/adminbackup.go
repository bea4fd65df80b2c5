package caddymodule

// This file answers POST /paydoor/backup: the store of the running server, as one consistent stream.

import (
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2"
)

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
	sequence, err := b.store.Backup(r.Context(), &patient{w})
	if err != nil {
		cutOff("making a backup", err)
	}
	w.Header().Set(backupSequence, strconv.FormatUint(sequence, 10))
	return nil
}
