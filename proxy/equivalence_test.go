package proxy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// A statement that is run in batches leaves what the statement itself leaves, and has the same command tag: of random tables, data and statements,
// each is run as it is in one schema and through the proxy in another. Nobody else is there.
func TestBatchesLeaveWhatTheStatementLeaves(t *testing.T) {
	t.Parallel()
	const cases, databases = 300, 6
	var jobs, refused atomic.Int64
	t.Cleanup(func() {
		if t.Logf("%d of %d statements were run in batches, %d refused because of their keys", jobs.Load(), cases, refused.Load()); jobs.Load() < cases/2 {
			t.Error("they are too few")
		}
	})
	for first := range uint64(databases) {
		t.Run(fmt.Sprintf("seeds from %d", first), func(t *testing.T) {
			t.Parallel()
			b := newBothWays(t)
			for seed := first; seed < cases; seed += databases {
				switch b.leaveTheSame(t, seed) {
				case inBatches:
					jobs.Add(1)
				case refusedForItsKeys:
					refused.Add(1)
				}
			}
		})
	}
}

// bothWays is a stage where statements of few rows are run in batches, in schema batched, and as they are in schema plain.
type bothWays struct {
	*stage
	plain *pgconn.PgConn
}

func newBothWays(t *testing.T) *bothWays {
	t.Helper()
	w := newStage(t, Enforce, true, false)
	options := *w.server.following.Load()
	policies, err := policy.NewSet(rules.All(), policy.Settings{BulkRows: 1})
	if err != nil {
		t.Fatal(err)
	}
	options.BulkRows, options.Policy = 1, policies
	options.Lock.Batch = run.BatchOptions{MaxRows: 9}
	w.server.following.Store(&options)
	plain, err := pgconn.Connect(t.Context(), w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plain.Close(context.WithoutCancel(t.Context())) })
	for _, schema := range []string{"plain", "batched"} {
		execAll(t, plain, "CREATE SCHEMA "+schema)
	}
	execAll(t, plain, "CREATE TABLE public.other (k int PRIMARY KEY, v int); INSERT INTO public.other SELECT g, g * 3 FROM generate_series(1, 20) g")
	return &bothWays{w, plain}
}

// way is how a statement went through the proxy.
type way int

const (
	asItIs way = iota
	inBatches
	refusedForItsKeys
)

// leaveTheSame runs a random case both ways and compares what is left.
func (b *bothWays) leaveTheSame(t *testing.T, seed uint64) (went way) {
	t.Helper()
	c := newRandomCase(seed)
	for _, schema := range []string{"plain", "batched"} {
		execAll(t, b.plain, "SET search_path = "+schema+"; "+c.setup)
	}
	defer execAll(t, b.plain, "DROP TABLE plain.t; DROP TABLE batched.t")
	execAll(t, b.plain, "SET search_path = plain")
	want, wrong := c.run(t, b.plain)
	batched := b.open(t, fmt.Sprint(seed), map[string]string{"search_path": "batched"})
	got, err := c.run(t, batched)
	b.mu.Lock()
	told := strings.Join(b.notices, "\n")
	b.notices = nil
	b.mu.Unlock()
	delete(b.conns, fmt.Sprint(seed))
	_ = batched.Close(t.Context())
	switch {
	case wrong != nil:
		t.Fatalf("seed %d: %s\n%s\nfails by itself: %v", seed, c.setup, c.statement, wrong)
	case err != nil && c.random && strings.Contains(err.Error(), "keys of new rows"):
		return refusedForItsKeys
	case err != nil:
		t.Errorf("seed %d: %s\n%s\n%v", seed, c.setup, c.statement, err)
		return asItIs
	}
	if got != want {
		t.Errorf("seed %d: %s\n%s\nis answered %s instead of %s", seed, c.setup, c.statement, got, want)
	}
	if is, was := contents(t, b.plain, "batched"), contents(t, b.plain, "plain"); is != was {
		t.Errorf("seed %d: %s\n%s\nleaves\n%s\ninstead of\n%s", seed, c.setup, c.statement, is, was)
	}
	if strings.Contains(told, "runs in batches") {
		return inBatches
	}
	return asItIs
}

func execAll(t *testing.T, conn *pgconn.PgConn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
}

func contents(t *testing.T, conn *pgconn.PgConn, schema string) string {
	t.Helper()
	results, err := conn.Exec(t.Context(), "SELECT r::text FROM "+schema+".t r ORDER BY r::text COLLATE \"C\"").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, row := range results[0].Rows {
		out.Write(row[0])
		out.WriteByte('\n')
	}
	return out.String()
}

// randomCase is a table with rows, and a statement.
type randomCase struct {
	setup, statement string
	params           []string
	// random is true when the table's keys do not grow.
	random bool
}

func newRandomCase(seed uint64) randomCase {
	r := rand.New(rand.NewPCG(seed, 4))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	c := randomCase{}
	key, partition, from := "", "", ""
	rest := "n int, m int, s text, b bool, d timestamptz, arr int[]"
	values := "g % 7, NULLIF(g % 5, 0), CASE g % 4 WHEN 0 THEN NULL WHEN 1 THEN 'x' WHEN 2 THEN 'it''s' ELSE 'Y' END, g % 3 = 0, " +
		"timestamptz '2020-01-01' + g * interval '1 day', ARRAY[g % 2, g]"
	rows := r.IntN(60)
	switch kind := r.IntN(8); kind {
	case 0:
		key, from = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "(n, m, s, b, d, arr) SELECT "+values
	case 1:
		key, from = "id serial, part text NOT NULL, UNIQUE (id, part)", "(part, n, m, s, b, d, arr) SELECT chr(65 + g % 3), "+values
	case 2:
		c.random = true
		key, from = "id uuid PRIMARY KEY", "SELECT md5(g::text)::uuid, "+values
	case 3:
		c.random = true
		key, from = `"the Key" text, two text, PRIMARY KEY ("the Key", two)`, "SELECT chr(65 + g % 20), g::text, "+values
	case 4:
		c.random = true
		key, from = "id numeric PRIMARY KEY", "SELECT (g * 7919 % 1000) / 3.0, "+values
	case 5:
		key, from = "id bigserial, day date, PRIMARY KEY (id, day)", "(day, n, m, s, b, d, arr) SELECT date '2020-01-01' + g % 40, "+values
		partition = "PARTITION BY RANGE (day)"
	case 6:
		c.random = true
		key, from = "id int PRIMARY KEY", "SELECT g * 7919 % 1000, "+values
		partition = "PARTITION BY HASH (id)"
	case 7:
		c.random = true
		key, from = "id timestamptz UNIQUE NOT NULL", "SELECT timestamptz '2021-01-01' + g * interval '1 second 3 microseconds', "+values
	}
	columns, constraint, _ := strings.Cut(key, ", PRIMARY KEY (")
	if constraint != "" {
		constraint = ", PRIMARY KEY (" + constraint
	} else if head, tail, ok := strings.Cut(key, ", UNIQUE ("); ok {
		columns, constraint = head, ", UNIQUE ("+tail
	}
	c.setup = fmt.Sprintf("CREATE TABLE t (%s, %s%s) %s;", columns, rest, constraint, partition)
	switch {
	case strings.Contains(partition, "RANGE"):
		c.setup += " CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2020-01-01') TO ('2020-01-15'); CREATE TABLE t_2 PARTITION OF t DEFAULT;"
	case strings.Contains(partition, "HASH"):
		c.setup += " CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);" +
			" CREATE TABLE t_2 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY HASH (id);" +
			" CREATE TABLE t_3 PARTITION OF t_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
	}
	c.setup += fmt.Sprintf(" INSERT INTO t %s FROM generate_series(1, %d) g;", from, rows)

	alias := pick("", " AS o", ` "an Alias"`)
	name := strings.Trim(strings.TrimPrefix(alias, " AS"), " ")
	if name == "" {
		name = "t"
	}
	param := func(value, kind string) string {
		if r.IntN(2) == 0 {
			return "'" + value + "'::" + kind
		}
		c.params = append(c.params, value)
		return fmt.Sprintf("$%d::%s", len(c.params), kind)
	}
	condition := func() string {
		switch r.IntN(12) {
		case 0:
			return name + ".n > " + param("2", "int")
		case 1:
			return "m IS NULL OR b"
		case 2:
			return "s = 'it''s' OR (s IS NULL)"
		case 3:
			return "d < now() - interval '1 day' AND d <> CURRENT_TIMESTAMP(2)"
		case 4:
			return "arr && ARRAY[" + param("3", "int") + ", 1]"
		case 5:
			return "NOT b -- a comment\n  AND n <> " + param("1", "int")
		case 6:
			return name + ".s LIKE " + param("%x%", "text") + " /* ' */"
		case 7:
			return "n IN (1, 2, 3) AND coalesce(m, 0) BETWEEN 1 AND 3"
		case 8:
			return "CASE WHEN b THEN n > 2 ELSE m > 2 END"
		case 9:
			return "(n, m) > (" + param("2", "int") + ", 1)"
		case 10:
			return "n % 2 = 0 AND arr[1] = 1"
		}
		return "lower(s) = 'y' OR n = length(coalesce(" + name + ".s, '')) -- the end"
	}
	where := ""
	if r.IntN(5) > 0 {
		where = " WHERE " + condition()
	}
	if r.IntN(3) == 0 {
		c.statement = "DELETE FROM t" + alias + where
		return c
	}
	if c.random && r.IntN(3) > 0 { // with such keys only an UPDATE whose condition says what is left to do is run in batches
		left := pick("", name+".") + "s IS DISTINCT FROM 'it''s'"
		if where != "" {
			left = "(" + strings.TrimPrefix(where, " WHERE ") + "\n) AND " + left
		}
		c.statement = "UPDATE t" + alias + " SET s = 'it''s', " + pick("n = "+name+".m", "(m, arr) = (n, ARRAY[n])", "b = n > 3", "arr[2] = m") + " WHERE " + left
		return c
	}
	var set []string
	for _, s := range []string{
		"n = " + pick("n + 1", name+".m", "17", "CASE WHEN b THEN 1 ELSE -n END", "DEFAULT"),
		"s = " + pick("s || 'z'", "upper(s)", "NULL", "'it''s'", "current_user", name+".s"),
		"b = " + pick("NOT b", "n > 3", "true", "now() > d"),
		"(m, arr) = " + pick("(n, arr || 5)", "ROW (1, ARRAY[n])", "(coalesce(m, 0) + n, arr)"),
		"arr[2] = " + pick("m", "5"),
	} {
		if r.IntN(2) == 0 && !(strings.HasPrefix(s, "arr[") && strings.Contains(strings.Join(set, " "), "(m, arr)")) {
			set = append(set, s)
		}
	}
	if len(set) == 0 {
		set = []string{"n = n + " + param("3", "int")}
	}
	c.statement = "UPDATE t" + alias + " SET " + strings.Join(set, ", ") + where
	return c
}

// run runs the statement, with parameters by the extended protocol, and returns its command tag.
func (c randomCase) run(t *testing.T, conn *pgconn.PgConn) (string, error) {
	t.Helper()
	used := len(c.params) > 0 && strings.Contains(c.statement, "$")
	if !used {
		results, err := conn.Exec(t.Context(), c.statement).ReadAll()
		if err != nil {
			return "", err
		}
		return results[len(results)-1].CommandTag.String(), nil
	}
	values := make([][]byte, len(c.params))
	for i, p := range c.params {
		values[i] = []byte(p)
	}
	result := conn.ExecParams(t.Context(), c.statement, values, nil, nil, nil).Read()
	return result.CommandTag.String(), result.Err
}
