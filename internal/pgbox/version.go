package pgbox

import (
	"regexp"
	"slices"
	"strconv"
)

// version is a Postgres or package version as its numbers: "18.4.0-beta.17" is 18, 4, 0, 17 and "19devel" is 19.
type version []int

var number = regexp.MustCompile(`\d+`)

func parseVersion(s string) version {
	var v version
	for _, digits := range number.FindAllString(s, -1) {
		n, err := strconv.Atoi(digits)
		if err != nil {
			return nil
		}
		v = append(v, n)
	}
	return v
}

func (v version) major() int {
	if len(v) == 0 {
		return 0
	}
	return v[0]
}

// newest returns the newest of those versions whose major is wanted (0: any), "" if there is none.
func newest(versions []string, major int) string {
	var best string
	for _, s := range versions {
		v := parseVersion(s)
		if v.major() < oldestMajor || major != 0 && v.major() != major {
			continue
		}
		if best == "" || slices.Compare(v, parseVersion(best)) > 0 {
			best = s
		}
	}
	return best
}
