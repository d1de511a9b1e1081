package main

import "strings"

// nearest returns the one of names that a misspelt name was meant to be, "" if none is near enough. A dotted name also
// matches by its last part alone, for a key that stands outside of its section.
func nearest(name string, names []string) string {
	last := func(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
	best, bestDistance, bestWhole := "", len(name)/3+1, 0
	for _, candidate := range names {
		whole := editDistance(name, candidate)
		distance := min(whole, editDistance(last(name), last(candidate))+1)
		if distance < bestDistance || distance == bestDistance && whole < bestWhole {
			best, bestDistance, bestWhole = candidate, distance, whole
		}
	}
	return best
}

// didYouMean is nearest as a hint; "" for none.
func didYouMean(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// editDistance is the number of bytes to insert, delete, replace or swap with the next one to make b of a.
func editDistance(a, b string) int {
	distance := make([][]int, len(a)+1) // distance[i][j] is that of a's first i bytes to b's first j
	for i := range distance {
		distance[i] = make([]int, len(b)+1)
		distance[i][0] = i
	}
	for j := range len(b) {
		distance[0][j+1] = j + 1
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := distance[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			distance[i][j] = min(replaced, distance[i-1][j]+1, distance[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				distance[i][j] = min(distance[i][j], distance[i-2][j-2]+1)
			}
		}
	}
	return distance[len(a)][len(b)]
}
