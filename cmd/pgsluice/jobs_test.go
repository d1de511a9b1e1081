package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

func TestNextTry(t *testing.T) {
	past, future := time.Now().Add(-time.Hour), time.Now().Add(48*time.Hour)
	for want, row := range map[string]revisions.PromiseRow{
		"now":         {State: revisions.Running, Alive: true},
		"by hand":     {State: revisions.Failed, NotBefore: &past},
		"-":           {State: revisions.Done},
		"its session": {State: revisions.Pending, Alive: true},
		"its login":   {State: revisions.Pending, Released: true, SQLState: "42501"},
		"due":         {State: revisions.Pending, Alive: true, Released: true, NotBefore: &past},
		"due.?":       {State: revisions.Running, ClaimedBy: "dead"},
		"now.?":       {State: revisions.Pending, ClaimedBy: "another", Alive: true},
		"in 4[78]h.*": {State: revisions.Pending, NotBefore: &future},
		// Nobody but its login keeps a bulk write.
		"its login.?":           {State: revisions.Pending, Released: true, Promise: revisions.Promise{Kind: run.BulkWrite}},
		"its login.??":          {State: revisions.Running, Promise: revisions.Promise{Kind: run.BulkWrite}},
		"its login in 4[78]h.*": {State: revisions.Pending, Released: true, Promise: revisions.Promise{Kind: run.BulkWrite}, NotBefore: &future},
	} {
		if got := nextTryOf(row).String(); !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("%+v: %q, want %q", row, got, want)
		}
	}
}

// However long the names are, a line has 80 characters, and who goes on with a job can be read.
func TestJobsFitALine(t *testing.T) {
	long := strings.Repeat("längst_", 20)
	half := 0.42
	jobs := []job{
		{
			ID: 123456, State: revisions.Running, Tag: "REFRESH MATERIALIZED VIEW", Table: long, Error: long + long, Next: &nextTry{By: bySession},
			Created: time.Now().Add(-25 * time.Hour), Building: &revisions.Building{Phase: "building index: scanning table", Done: &half},
		},
		{ID: 7, State: revisions.Stopped, Tag: "UPDATE", Table: "public.t", Created: time.Now(), Next: &nextTry{By: byLogin}, Bulk: &bulk{Rows: 123_456_789_012}},
		{ID: 8, State: revisions.Failed, Tag: "CREATE INDEX", Table: "", Created: time.Now(), Next: &nextTry{By: byPerson}, Attempts: 3},
	}
	var out strings.Builder
	if err := printJobTable(&out, jobs); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	for _, want := range []string{
		`(?m)^123456  running  REFRESH.*  42%.*  its session$`, `(?m)^    längst_.*…$`, `(?m)^7 .* UPDATE .* its login$`, `(?m)^8 .* CREATE INDEX .* - .* tried 3× +by hand$`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no line is %s:\n%s", want, out.String())
		}
	}
}

// What a person should look at is said of each kind of work.
func TestStandingNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		now  standing
		want string
	}{
		{standing{open: 3, oldest: time.Minute, bulk: map[string]int{bulkRunning: 1, bulkWaiting: 2, bulkPaused: 1}, oldestBulk: time.Hour, oldestPaused: time.Minute}, ""},
		{standing{broken: revisions.ErrNotInstalled}, "database app has no ledger"},
		{standing{broken: revisions.ErrNewer}, "the ledger of database app cannot be used"},
		{standing{failed: 2}, "2 promises of database app failed: run pgsluice jobs resume"},
		{standing{open: 1, oldest: time.Hour}, "1 promise of database app not done, the oldest since 1h0m0s: pgsluice jobs shows what is in the way"},
		{
			standing{failed: 1, bulk: map[string]int{bulkStopped: 2, bulkPaused: 1}, oldestPaused: time.Hour},
			"1 promise of database app failed: run pgsluice jobs resume; 2 bulk writes of database app stopped: pgsluice jobs shows why; " +
				"1 bulk write of database app paused, the oldest began 1h0m0s ago: run pgsluice jobs resume with its ID",
		},
	} {
		if got := strings.Join(c.now.wrong("app"), "; "); got != c.want {
			t.Errorf("%+v:\ngot  %s\nwant %s", c.now, got, c.want)
		}
	}
}
