package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"platen/internal/fault"
)

// Disk is what a figure about durable writes depends on.
type Disk struct {
	FileSystem      string  `json:"file_system"`
	FdatasyncMicros float64 `json:"fdatasync_median_us"` // of 4 KiB appended, 200 times
}

// Magic numbers of statfs(2).
var fileSystems = map[int64]string{
	0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x2fc12fc1: "zfs",
	0x794c7630: "overlay", 0x01021994: "tmpfs", 0x858458f6: "ramfs", 0x6969: "nfs",
}

// MeasureDisk measures the disk under a directory. Memory file systems are
// refused: a sync there costs nothing and says nothing.
func MeasureDisk(dir string) (Disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return Disk{}, fmt.Errorf("ask for the file system of %s: %w", dir, err)
	}
	d := Disk{FileSystem: fileSystems[int64(s.Type)]}
	switch d.FileSystem {
	case "tmpfs", "ramfs":
		return d, fault.New(fault.Invalid, "memory_file_system", "%s lies on a %s, where a sync costs nothing; choose a directory on a disk with --data", dir, d.FileSystem)
	case "":
		d.FileSystem = fmt.Sprintf("%#x", s.Type)
	}
	median, err := fdatasync(dir)
	d.FdatasyncMicros = float64(median.Nanoseconds()) / 1000
	return d, err
}

func fdatasync(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := make([]byte, 4096)
	times := make([]time.Duration, 200)
	for i := range times {
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		start := time.Now()
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// flushes counts the cache flushes that all disks of the machine have completed,
// -1 where the kernel does not tell (it is field 16 of a disk's stat, see
// Documentation/block/stat.rst of Linux).
func flushes() int64 {
	stats, err := filepath.Glob("/sys/block/*/stat")
	if err != nil || len(stats) == 0 {
		return -1
	}
	var total int64
	for _, path := range stats {
		text, err := os.ReadFile(path)
		fields := bytes.Fields(text)
		if err != nil || len(fields) < 16 {
			continue
		}
		n, err := strconv.ParseInt(string(fields[15]), 10, 64)
		if err == nil {
			total += n
		}
	}
	return total
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
