package main

import (
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes.
type byteSize int64

// byteUnits are the spellings that can only mean a power of 1024. MB is not among them: Postgres means 2^20 by it and disks mean 10^6.
var byteUnits = []struct {
	name string
	size byteSize
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// parseByteSize reads a whole number with a unit, B, KiB, MiB or GiB; a number alone counts bytes.
func parseByteSize(text string) (byteSize, error) {
	unit := byteSize(1)
	for _, u := range byteUnits {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = strings.TrimSpace(number), u.size
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (n < 0 || n > math.MaxInt64/int64(unit)) {
		err = strconv.ErrRange
	}
	return byteSize(n) * unit, err
}

// String prints the size in the largest unit that divides it.
func (b byteSize) String() string {
	for _, u := range byteUnits {
		if b >= u.size && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}
