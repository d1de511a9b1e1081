package revisions

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// BenchmarkRecord reports the median of the two round trips that a deferred statement costs, and of an empty round trip to
// compare with.
func BenchmarkRecord(b *testing.B) {
	ctx := b.Context()
	admin := connect(b, pgtest.Database(b))
	if _, err := Install(ctx, admin, InstallOptions{}); err != nil {
		b.Fatal(err)
	}
	key, err := ReadKey(ctx, admin)
	if err != nil {
		b.Fatal(err)
	}
	promise := Promise{
		Kind: "index-not-concurrent", Tag: "CREATE INDEX", Table: 16400,
		Asked:       "CREATE INDEX orders_customer ON shop.orders (customer_id) WHERE deleted_at IS NULL",
		Steps:       json.RawMessage(`[{"sql":"` + strings.Repeat("x", 500) + `"}]`),
		Environment: json.RawMessage(`{"search_path":"shop, public","TimeZone":"UTC"}`),
	}

	took := map[string][]time.Duration{}
	measure := func(unit string, f func() error) {
		begin := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		took[unit] = append(took[unit], time.Since(begin))
	}
	for n := range b.N {
		if n%100 == 0 {
			admin.run("BEGIN")
		}
		var nonce Nonce
		measure("empty-ns", func() (err error) { _, err = admin.Query(ctx, "SELECT 1"); return err })
		measure("nonce-ns", func() (err error) { nonce, err = NewNonce(ctx, admin); return err })
		measure("record-ns", func() error { _, err := RecordWith(ctx, admin, key, nonce, promise); return err })
		if n%100 == 99 || n == b.N-1 {
			admin.run("COMMIT")
		}
	}
	for unit, times := range took {
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), unit)
	}
}
