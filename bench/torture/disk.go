//go:build linux

package main

// This file is file systems of our own: an ext4 in a file, whose power can be cut, and a small one in memory.

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// disk is a file system that is mounted, or was.
type disk struct {
	mount  string
	source string // the file of an ext4; "": in memory
}

// needRoot says why nothing can be mounted here.
func needRoot(tools ...string) func() error {
	return func() error {
		if os.Geteuid() != 0 {
			return errors.New("it mounts file systems, and that needs root")
		}
		for _, tool := range tools {
			if _, err := exec.LookPath(tool); err != nil {
				return fmt.Errorf("%s is missing", tool)
			}
		}
		return tryMount()
	}
}

// tryMount finds out whether root may mount here: in a container it often may not.
func tryMount() (err error) {
	dir, err := os.MkdirTemp("", "paydoor-torture-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(dir)) }()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		return fmt.Errorf("nothing can be mounted here: %w", err)
	}
	return unix.Unmount(dir, 0)
}

// makeExt4 makes an ext4 of so many MiB in a sparse file below home, and mounts it.
func makeExt4(home string, mebibytes int64) (*disk, error) {
	d := &disk{mount: filepath.Join(home, "mount"), source: filepath.Join(home, "disk.img")}
	f, err := os.Create(d.source)
	if err == nil {
		err = errors.Join(f.Truncate(mebibytes<<20), f.Close())
	}
	if err == nil {
		err = os.Mkdir(d.mount, 0o700)
	}
	if err == nil {
		err = command("mkfs.ext4", "-q", "-F", "-m", "0", d.source)
	}
	if err != nil {
		return nil, err
	}
	return d, d.on()
}

// makeTmpfs mounts a file system in memory of so many MiB below home.
func makeTmpfs(home string, mebibytes int64) (*disk, error) {
	d := &disk{mount: filepath.Join(home, "mount")}
	if err := os.Mkdir(d.mount, 0o700); err != nil {
		return nil, err
	}
	if err := unix.Mount("none", d.mount, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", mebibytes)); err != nil {
		return nil, fmt.Errorf("mounting a file system in memory: %w", err)
	}
	return d, nil
}

// on mounts it, which recovers its journal.
func (d *disk) on() error { return command("mount", "-o", "loop", d.source, d.mount) }

// off unmounts it. Whoever used it may take a moment to be gone.
func (d *disk) off() (err error) {
	for range 200 {
		if err = unix.Unmount(d.mount, 0); err == nil || errors.Is(err, unix.EINVAL) { // EINVAL: it is not mounted
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("unmounting %s: %w", d.mount, err)
}

// shutdown is EXT4_IOC_SHUTDOWN, and goingNoLogFlush its flag: what xfs_io -x -c shutdown does.
const (
	shutdown        = 0x8004587d
	goingNoLogFlush = 2
)

// cut cuts the power: what is not on the disk by now never gets there, and every access fails.
func (d *disk) cut() error {
	f, err := os.Open(d.mount)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, goingNoLogFlush); err != nil {
		return fmt.Errorf("shutting %s down: %w", d.mount, err)
	}
	return nil
}

// free is how many bytes can be written.
func (d *disk) free() (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(d.mount, &fs); err != nil {
		return 0, err
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}
