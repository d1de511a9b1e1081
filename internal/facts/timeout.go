package facts

import (
	"strconv"
	"strings"
	"time"
)

// Timeout is the value of a setting that the server keeps in milliseconds (GUC_UNIT_MS), 0 for none; known is false when it was not asked.
func (f Facts) Timeout(name string) (value time.Duration, known bool) {
	shown, asked := f.Settings[name]
	if !asked {
		return 0, false
	}
	digits := strings.TrimRight(shown, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit := unit(shown[len(digits):])
	return time.Duration(n) * unit, err == nil && unit != 0
}

// unit is one in which the server shows a time (unit_conversions in src/backend/utils/misc/guc.c); 0 for another word.
func unit(name string) time.Duration {
	switch name {
	case "", "ms":
		return time.Millisecond
	case "us":
		return time.Microsecond
	case "s":
		return time.Second
	case "min":
		return time.Minute
	case "h":
		return time.Hour
	case "d":
		return 24 * time.Hour
	}
	return 0
}
