package store

// This file reads Badger's logs (.mem) by itself, because Badger takes the first entry that it cannot read for the end of a log, whatever
// comes after it, and does not miss a log that is gone. Every group's head stands in its transaction and names the group before, so
// tables and logs together have to show an unbroken chain.
//
//	log   = key number u64 (0: not encrypted) | 12 random bytes | entries | zeros
//	entry = meta u8 | user meta u8 | key length, value length, expiry uvarint | key, 8 bytes of version | value | CRC-32C u32
//
// The entries of a transaction have metaTransaction; the one that ends it has metaEnd, and the version in decimal as its value.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4/y"
)

const (
	logHeader       = 20
	metaDelete      = 1 << 0
	metaTransaction = 1 << 6
	metaEnd         = 1 << 7
	longestLogKey   = 1 << 16
)

// logEntry is one entry of a log.
type logEntry struct {
	key     []byte // without the version
	version uint64
	value   []byte
	meta    byte
}

// walkLog calls f with each whole transaction of a log, and returns where they end.
func walkLog(b []byte, f func(entries []logEntry)) (end int) {
	if len(b) < logHeader {
		return len(b)
	}
	end = logHeader
	var open []logEntry
	for at := logHeader; ; {
		e, n := decodeLogEntry(b[at:])
		if n == 0 {
			return end
		}
		at += n
		switch {
		case e.meta&metaTransaction != 0:
			if len(open) > 0 && open[0].version != e.version {
				return end
			}
			open = append(open, e)
			continue
		case e.meta&metaEnd != 0:
			version, err := strconv.ParseUint(string(e.value), 10, 64)
			if err != nil || len(open) == 0 || open[0].version != version {
				return end
			}
		case len(open) > 0:
			return end
		default:
			open = append(open, e)
		}
		f(open)
		open, end = open[:0], at
	}
}

// decodeLogEntry returns the entry that b begins with and its length, 0 where the entries end.
func decodeLogEntry(b []byte) (e logEntry, n int) {
	if len(b) < 2 {
		return e, 0
	}
	e.meta, n = b[0], 2
	var fields [3]uint64 // key length, value length, expiry
	for i := range fields {
		v, size := binary.Uvarint(b[n:])
		if size <= 0 {
			return e, 0
		}
		fields[i], n = v, n+size
	}
	key, value, room := fields[0], fields[1], uint64(len(b)-n)
	if key < 8 || key > longestLogKey || value > room || key+value+4 > room {
		return e, 0
	}
	body := n + int(key+value)
	if crc32.Checksum(b[:body], castagnoli) != binary.BigEndian.Uint32(b[body:]) {
		return e, 0
	}
	full := b[n : n+int(key)]
	e.key, e.version, e.value = y.ParseKey(full), y.ParseTs(full), b[n+int(key):body]
	return e, body + 4
}

// logFile is a log that was read.
type logFile struct {
	path   string
	number int
	heads  int  // groups in it
	last   head // if heads is not 0
	other  int  // transactions that are no groups
}

// listLogs returns the logs of a database in the order of their numbers.
func listLogs(database string) (logs []*logFile, damage string, err error) {
	paths, err := filepath.Glob(filepath.Join(database, "*.mem"))
	for _, p := range paths {
		number, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(p), ".mem"))
		if err != nil {
			return nil, p + " is not a file of this store", nil
		}
		logs = append(logs, &logFile{path: p, number: number})
	}
	slices.SortFunc(logs, func(a, b *logFile) int { return a.number - b.number })
	return logs, "", err
}

// chain follows the groups from those in the tables on through the logs.
type chain struct {
	flushed head // the last group in the tables
	held    head // the last group so far
	started bool // held is known, if only as the beginning of a store
	format  record
	logs    []*logFile
	damage  []string
}

// follow reads the logs of a database.
func (c *chain) follow(database string) error {
	logs, damage, err := listLogs(database)
	if err != nil || damage != "" {
		c.note(damage)
		return err
	}
	c.logs = logs
	for i, l := range logs {
		if i > 0 && l.number != logs[i-1].number+1 {
			c.note(fmt.Sprintf("%s has no log between %05d.mem and %05d.mem", database, logs[i-1].number, l.number))
		}
		b, err := os.ReadFile(l.path)
		if damage, err = damaged(l.path, err); err != nil {
			return err
		}
		c.note(damage)
		c.read(l, b, i == len(logs)-1)
	}
	return nil
}

// read follows the chain through one log. Only in the newest one may a crash have left a part of a transaction, and only of one: the next
// is not begun before it is synced.
func (c *chain) read(l *logFile, b []byte, newest bool) {
	if len(b) >= logHeader && binary.BigEndian.Uint64(b) != 0 {
		c.note(l.path + " is damaged (its header names a key)")
		return
	}
	end := walkLog(b, func(entries []logEntry) { c.transaction(l, entries) })
	b = b[:max(end, min(len(b), lastUsed(b)+8))] // a checksum may end in zeros
	if !newest && lastUsed(b) > end || newest && !torn(b, end) {
		c.note(fmt.Sprintf("%s is damaged after byte %d", l.path, end))
	}
}

// torn says whether what follows the last whole transaction of a log can be what a crash left of one more: without its end, which is written
// last, or, after a power cut, with a sector of the disk that did not arrive.
func torn(b []byte, from int) bool {
	end := from + nextTransaction(b[from:], 0) + logHeader
	if end > len(b) {
		return true
	}
	if end+nextTransaction(b[end:], 0)+logHeader <= len(b) {
		return false // another one followed, and it is not begun before the one in front is synced
	}
	const sector = 512
	for at := from; at < end; {
		next := min(end, (at/sector+1)*sector)
		if lastUsed(b[at:next]) == 0 {
			return true
		}
		at = next
	}
	return false
}

// lastUsed is the length of b without the zeros at its end, of which a log has many.
func lastUsed(b []byte) int {
	var zeros [4096]byte
	for len(b) >= len(zeros) && bytes.Equal(b[len(b)-len(zeros):], zeros[:]) {
		b = b[:len(b)-len(zeros)]
	}
	return len(bytes.TrimRight(b, "\x00"))
}

func (c *chain) transaction(l *logFile, entries []logEntry) {
	for _, e := range entries {
		switch string(e.key) {
		case headKey:
			if h, err := decodeHead(e.value); err != nil {
				c.note(l.path + " is damaged (a head record is wrong)")
			} else {
				c.group(l, h)
			}
			return
		case formatKey:
			c.format.take(e.version, e.value)
			if id, err := decodeFormat(e.value); err == nil && !c.started {
				c.held, c.started = genesis(id), true
			}
		}
	}
	l.other++
}

// group takes the head of the next group. Groups may be in the tables already; all others have to follow the one before.
func (c *chain) group(l *logFile, h head) {
	if l.heads > 0 && h.previous != l.last.hash {
		c.note(fmt.Sprintf("%s has group %d after group %d", l.path, h.sequence, l.last.sequence))
	}
	l.heads++
	l.last = h
	if h.sequence <= c.flushed.sequence {
		if h.sequence == c.flushed.sequence && h.hash != c.flushed.hash {
			c.note(fmt.Sprintf("%s has another group %d than the tables", l.path, h.sequence))
		}
		return
	}
	if !c.started || h.previous != c.held.hash {
		c.note(fmt.Sprintf("no log has the groups between %d and %d", c.held.sequence, h.sequence))
	}
	c.held, c.started = h, true
}

func (c *chain) note(damage string) {
	if damage != "" && !slices.Contains(c.damage, damage) {
		c.damage = append(c.damage, damage)
	}
}

// spent says that all of a log is in the tables, so that it is there only because its removal was not durable.
func (c *chain) spent(l *logFile) bool {
	return l.heads == 0 && l.other == 0 || l.heads > 0 && l.last.sequence <= c.flushed.sequence
}
