package main

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// fileLimit is the environment variable that bounds the size of every file which
// the program under test writes, in bytes: a disk that is full for it alone.
const fileLimit = "PLATEN_TEST_FILE_LIMIT"

func init() {
	limit, err := strconv.ParseUint(os.Getenv(fileLimit), 10, 64)
	if err != nil {
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // the write then fails with an error, as on a full disk
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		panic(err)
	}
}

func TestAFullDiskEndsTheServerAndNothingAcknowledgedIsLost(t *testing.T) {
	data := shop(t)
	p := serve(t, data, fileLimit+"="+strconv.Itoa(1<<20))
	written := p.writers(20, 1, func() {})
	if code := p.ends(); code != 1 {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
	if written.total < 20 || written.total == 20*most {
		t.Fatalf("%d events were acknowledged", written.total)
	}
	log := p.log.String()
	if !strings.Contains(log, "what is accepted can no longer be kept") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	lines := strings.Split(strings.TrimSpace(log), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "platen: the store can no longer keep what it accepts") {
		t.Errorf("the last line is %q", last)
	}
	if strings.Contains(log, "goroutine") {
		t.Errorf("the log holds a stack:\n%s", log)
	}
	serve(t, data).checkStored(written)
}
