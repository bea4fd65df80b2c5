package store

// This file spares each commit a sync that protects nothing. With SyncWrites Badger syncs its value log at every commit, in front of the
// write-ahead log. Our values are all below the threshold from which Badger would put them there (MaxValue), so the value log is always
// empty, and its sync is a third of a commit's time.

import (
	"reflect"
	"unsafe"

	"github.com/dgraph-io/badger/v4"
)

// leaveValueLogAlone switches the sync of the value log off, and only that: the write-ahead log has its own copy of the options. Badger
// offers no option for it, so this reaches into its value log. It says whether it found what it looked for; in a version of Badger where
// it does not, commits take longer, and nothing else changes. It must be called before the first commit.
func leaveValueLogAlone(db *badger.DB) bool {
	field := reflect.ValueOf(db).Elem()
	for _, name := range [...]string{"vlog", "opt", "SyncWrites"} {
		if field.Kind() != reflect.Struct {
			return false
		}
		if field = field.FieldByName(name); !field.IsValid() {
			return false
		}
	}
	if field.Kind() != reflect.Bool || !field.CanAddr() {
		return false
	}
	*(*bool)(unsafe.Pointer(field.UnsafeAddr())) = false
	return true
}
