package sqlite_test

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	zombiezen "zombiezen.com/go/sqlite"

	"platen/internal/store/sqlite"
)

// The engine has no hook for a failing sync, but its log is an open file of this
// process: another file is put in the place of its descriptor. A write to
// /dev/null succeeds and its sync does not (EINVAL); /dev/full has no room.

func TestAFailedSyncEndsAcknowledging(t *testing.T) {
	p := newPath(t, sqlite.Options{})
	acknowledged := p.untilRefused(t, func(n int) {
		if n == 100 {
			p.replaceLog(t, "/dev/null")
		}
	})
	if acknowledged != 100 {
		t.Errorf("%d were acknowledged, 100 before the first failed sync", acknowledged)
	}
	p.ended(t, acknowledged, zombiezen.ResultIOErr)
}

func TestAWriteWithoutRoomEndsAcknowledging(t *testing.T) {
	p := newPath(t, sqlite.Options{})
	acknowledged := p.untilRefused(t, func(n int) {
		if n == 100 {
			p.replaceLog(t, "/dev/full")
		}
	})
	if acknowledged != 100 {
		t.Errorf("%d were acknowledged, 100 before the disk was full", acknowledged)
	}
	p.ended(t, acknowledged, zombiezen.ResultFull)
}

// replaceLog puts a device in the place of the write-ahead log, for whoever has
// it open.
func (p *path) replaceLog(t *testing.T, device string) {
	t.Helper()
	log, err := filepath.EvalSymlinks(filepath.Join(p.dir, sqlite.FileName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		t.Skipf("this machine has no %s: %v", device, err)
	}
	defer d.Close()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("the open files cannot be listed: %v", err)
	}
	replaced := 0
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if target, _ := os.Readlink("/proc/self/fd/" + entry.Name()); target != log {
			continue
		}
		if err := syscall.Dup3(int(d.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		replaced++
	}
	if replaced == 0 {
		t.Fatal("nobody has the log open")
	}
}
