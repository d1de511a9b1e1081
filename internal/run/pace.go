package run

import "time"

// pace is how many rows the next batch goes over, so that it takes about its time. It follows a moving average, grows by half at most,
// and shrinks to half at most, unless something stands in the way.
type pace struct {
	target time.Duration
	// most are the rows that a batch may change, however fast it is.
	most int
	size int
	rate float64 // rows gone over in a second, averaged; 0: nothing measured
	hits float64 // the part of them that was changed, averaged
}

const (
	// firstBatch is how many rows the first batch goes over.
	firstBatch = 500
	// sparse is how many rows a batch may go over for each that it changes, when few are.
	sparse = 50
	// newest is the weight of the last batch in an average.
	newest = 0.4
)

func newPace(target time.Duration, most int) pace {
	return pace{target: target, most: most, size: min(firstBatch, most)}
}

// took learns from a batch that went over so many rows and changed some of them.
func (p *pace) took(keys, changed int, d time.Duration) {
	rate, hits := float64(keys)/max(d.Seconds(), 1e-4), float64(changed)/float64(max(keys, 1))
	if p.rate == 0 {
		p.rate, p.hits = rate, hits
	}
	p.rate += newest * (rate - p.rate)
	p.hits = max(hits, p.hits+newest*(hits-p.hits)) // many at once are believed at once
	p.resize()
}

// resize is for a size or a target that has changed.
func (p *pace) resize() {
	most := float64(p.most) / min(max(p.hits, 1.0/sparse), 1)
	want := min(p.rate*p.target.Seconds(), most)
	p.size = max(1, int(min(max(want, float64(p.size)/2), float64(p.size)*1.5+1, most)))
}

// halve makes the next batch half as large, and forgets how fast they were.
func (p *pace) halve() {
	p.size = max(p.size/2, 1)
	p.rate = float64(p.size) / p.target.Seconds()
}
