package document

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// maxDuration bounds what a document may ask for.
const maxDuration = 3660 * day

// parseDuration reads a positive duration as Go writes it (90m, 12h) or a number
// of days (30d).
func parseDuration(text string) (time.Duration, error) {
	var d time.Duration
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, errors.New("write days as 30d")
		}
		d = time.Duration(n) * day
	} else {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			return 0, errors.New("write it as 30d, 12h or 90m")
		}
	}
	if d <= 0 || d > maxDuration {
		return 0, errors.New("it must be more than nothing and at most ten years")
	}
	return d, nil
}

// formatDuration writes what parseDuration reads, in the largest unit that fits.
func formatDuration(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d%unit.size == 0 {
			return strconv.FormatInt(int64(d/unit.size), 10) + unit.name
		}
	}
	return d.String()
}
