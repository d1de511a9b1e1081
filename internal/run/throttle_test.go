package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestThrottleJudges runs the looks of testdata/throttle.txt. "limits" begins anew with the options that are named; "look" is one look, at so
// many seconds after the first, as the server answers it; "blind" is one that fails. The output is why a job waits.
func TestThrottleJudges(t *testing.T) {
	start := time.Unix(0, 0)
	var (
		options ThrottleOptions
		m       memory
	)
	datadriven.RunTest(t, "testdata/throttle.txt", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "limits" {
			options, m = ThrottleOptions{}, newMemory()
			if err := json.Unmarshal([]byte(d.Input), &options); err != nil {
				d.Fatalf(t, "%v", err)
			}
			return ""
		}
		var (
			at     int
			seen   load
			query  answered
			failed error
			text   string
		)
		d.ScanArgs(t, "at", &at)
		if d.HasArg("query") {
			d.ScanArgs(t, "query", &query.value)
		}
		if d.HasArg("wrong") {
			d.ScanArgs(t, "wrong", &text)
			query.err = errors.New(text)
		}
		if d.Cmd == "blind" {
			failed = errors.New("no connection")
		} else if err := json.Unmarshal([]byte(d.Input), &seen); err != nil {
			d.Fatalf(t, "%v", err)
		}
		reasons := m.judge(options, seen, query, failed, start.Add(time.Duration(at)*time.Second))
		if len(reasons) == 0 {
			return "go"
		}
		return strings.Join(reasons, "\n")
	})
}

// A batch grows by half at most, shrinks when it takes too long, and never changes more rows than it may.
func TestPace(t *testing.T) {
	p := newPace(300*time.Millisecond, 50_000)
	for took := time.Duration(0); p.size < 50_000; took = time.Duration(p.size) * time.Second / 200_000 {
		before := p.size
		p.took(p.size, p.size, took)
		if p.size > before*3/2+1 || p.size < before {
			t.Fatalf("from %d to %d", before, p.size)
		}
	}
	p.took(p.size, p.size, 3*time.Second) // one slow batch alone does not stop it
	if p.size < 25_000 {
		t.Errorf("size %d after one slow batch", p.size)
	}
	for range 20 {
		p.took(p.size, p.size, time.Duration(p.size)*time.Second/10_000)
	}
	if p.size < 2500 || p.size > 3500 {
		t.Errorf("size %d for 10000 rows a second", p.size)
	}
	for range 40 {
		p.halve()
	}
	if p.size != 1 {
		t.Errorf("size %d at the floor", p.size)
	}
	// Where hardly anything is changed a batch goes over more; when much is, it is small at once.
	p = newPace(300*time.Millisecond, 1000)
	for range 40 {
		p.took(p.size, p.size/100, time.Millisecond)
	}
	if p.size != 1000*sparse {
		t.Errorf("size %d where nothing is changed", p.size)
	}
	for range 8 {
		p.took(p.size, p.size, time.Millisecond)
	}
	if p.size != 1000 {
		t.Errorf("size %d where everything is changed", p.size)
	}
	if got := fmt.Sprint(bytes(1000), bytes(1536), bytes(5<<30)); got != "1000 B1.5 KiB5.0 GiB" && got != "1000 B 1.5 KiB 5.0 GiB" {
		t.Error(got)
	}
}

// A batch changes no more rows than it may, nor more than so many bytes of them, and one in any case.
func TestBatchIsCapped(t *testing.T) {
	for _, c := range []struct {
		rows  int
		bytes int64
		width float64
		want  int
	}{
		{0, 0, 100, 50_000},
		{0, 0, 64 << 10, 1024},
		{700, 0, 64 << 10, 700},
		{700, 1 << 20, 4096, 256},
		{700, 1 << 20, 8 << 20, 1},
		{700, 1 << 20, 0, 700}, // nobody knows how wide they are
	} {
		if got := (BatchOptions{MaxRows: c.rows, MaxBytes: c.bytes}).mostRows(c.width); got != c.want {
			t.Errorf("%+v: %d rows", c, got)
		}
	}
}
