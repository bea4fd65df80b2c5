package store

// This file is a database that is filled with what comes from elsewhere: a backup, or a damaged database.

import (
	"errors"

	"github.com/dgraph-io/badger/v4"
	"go.uber.org/zap"
)

// filling is a database that only becomes a store's when it is whole: its commits are not synced, so the caller syncs all of its files in the end.
type filling struct {
	db   *badger.DB
	list *tableList
	bell alarm
}

// beginFilling makes a database; open is one of Badger's two ways.
func beginFilling(path string, logger *zap.Logger, open func(badger.Options) (*badger.DB, error)) (f *filling, err error) {
	f = new(filling)
	if f.list, err = watchTables(path, f.bell.ring); err != nil {
		return nil, err
	}
	o := databaseOptions(path, logger).WithSyncWrites(false).WithLogger(badgerLog{logger.Named("badger").Sugar(), f.bell.ring})
	if f.db, err = open(o); err != nil {
		f.list.forget()
		return nil, err
	}
	return f, nil
}

// close says what has gone wrong, also in Badger's goroutines. It may be called again.
func (f *filling) close() error {
	if f.db == nil {
		return nil
	}
	err := f.db.Close()
	f.db = nil
	f.list.forget()
	return errors.Join(err, f.bell.rung())
}
