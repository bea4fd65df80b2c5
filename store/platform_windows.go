package store

// This file is locking and directory modes on Windows, where Badger's own lock on its folder is what keeps a second process out.

import "os"

const modesMatter = false

func tryLock(*os.File) (held bool, err error) { return false, nil }
