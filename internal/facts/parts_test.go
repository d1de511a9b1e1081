package facts_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// counted counts questions, and has something happen before one of them.
type counted struct {
	querier
	questions int
	before    func(question int)
}

func (c *counted) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	c.questions++
	if c.before != nil {
		c.before(c.questions)
	}
	return c.querier.Query(ctx, sql, args...)
}

// apart asks part after part, and has something happen before one of them: each has a snapshot of its own.
type apart struct {
	querier
	before func(part int)
}

func (a apart) QueryParts(ctx context.Context, parts []string, setting, value string) (rows []string, err error) {
	tx, err := a.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, "SELECT set_config($1, $2, true)", setting, value); err != nil {
		return nil, err
	}
	for i, part := range parts {
		a.before(i)
		answer, err := a.Query(ctx, part)
		if err != nil {
			return nil, err
		}
		rows = append(rows, answer...)
	}
	return rows, nil
}

func (a apart) MayHold() bool { return true }

func (a apart) Brittle() bool { return false }

// Between two parts of the question anything may happen to the relation that they are about. None of it fails the question, and what does not fit is left out.
func TestPartsDisagree(t *testing.T) {
	dsn := pgtest.Database(t)
	conn, other := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	for _, change := range []string{
		"ALTER TABLE t DROP COLUMN b", "DROP TABLE t", "DROP INDEX t_b", "ALTER TABLE t DROP CONSTRAINT t_fk, ADD COLUMN late int", "DROP TABLE t; CREATE TABLE t (z int)",
		"ALTER TABLE t RENAME TO u", "ALTER TABLE parent RENAME COLUMN x TO y", "DROP TABLE parent CASCADE",
	} {
		for at, last := 2, 2; at <= last; at++ { // session.sql, resolve.sql, relations.sql …
			exec(t, other, `DROP TABLE IF EXISTS t, u, parent; CREATE TABLE parent (x int PRIMARY KEY);
				CREATE TABLE t (id serial PRIMARY KEY, a int CHECK (a > 0), b text DEFAULT 'x', x int CONSTRAINT t_fk REFERENCES parent);
				CREATE INDEX t_b ON t (b, a); CREATE INDEX t_lower ON t (lower(b)) WHERE a > 0`)
			question := apart{querier{conn}, func(part int) {
				last = max(last, part)
				if part == at {
					exec(t, other, change)
				}
			}}
			known, err := facts.Read(t.Context(), question, []facts.Wanted{{
				Name: ddl.Name{Name: "t"}, Index: "t_b", Candidates: []string{"t_b"}, Parents: true, Definitions: true, Defaults: true, Dependents: true,
			}})
			if err != nil {
				t.Errorf("%s before part %d: %v", change, at, err)
				continue
			}
			r, there := known.Relations[`"t"`]
			if !there && at <= 2 {
				continue // it was gone, or had another name, before it was looked at
			}
			if r == nil || r.Name != "t" {
				t.Errorf("%s before part %d: the table is %+v", change, at, r)
				continue
			}
			for _, i := range r.Indexes {
				if i.Plain && r.Column(i.Columns[0]) == nil {
					t.Errorf("%s before part %d: index %s is plain and on no column", change, at, i.Name)
				}
			}
		}
	}
}

// A partitioned table is known as it is when its tree is asked about, which is after the names; and not at all when it is gone by then, or when its partitions
// change while they are asked about.
func TestPartitionsDisagree(t *testing.T) {
	dsn := pgtest.Database(t)
	conn, other := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	for _, c := range []struct{ change, before, after string }{
		{"SELECT", "[p1]", "[p1]"}, {"DROP TABLE p1", "[p1]", "[]"}, {"DROP TABLE p", "[p1]", "unknown"}, {"CREATE TABLE p_rest PARTITION OF p DEFAULT", "[p1]", "[p1 p_rest]"},
	} {
		for at := range 4 { // tree.sql, relations.sql, edges.sql, partitioned.sql
			exec(t, other, "DROP TABLE IF EXISTS p; CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
			questions := 0
			question := apart{querier{conn}, func(part int) {
				if part == 0 {
					questions++
				}
				if questions == 2 && part == at {
					exec(t, other, c.change)
				}
			}}
			known, err := facts.Read(t.Context(), question, []facts.Wanted{{Name: ddl.Name{Name: "p"}}})
			if err != nil || questions != 2 {
				t.Errorf("%s before part %d: %d questions, %v", c.change, at, questions, err)
				continue
			}
			got := "unknown"
			if p := known.Relations[`"p"`]; known.Known && p != nil {
				names := []string{}
				for _, partition := range p.Partitions {
					names = append(names, partition.Name)
				}
				got = fmt.Sprint(names)
				if (p.DefaultPartition != 0) != slices.Contains(names, "p_rest") {
					t.Errorf("%s before part %d: default partition %d of %s", c.change, at, p.DefaultPartition, got)
				}
			}
			if at == 0 && got != c.after || got != c.after && got != c.before && got != "unknown" {
				t.Errorf("%s before part %d: %s", c.change, at, got)
			}
		}
	}
}

// What depends on an ordinary table is told in one round trip, and as the question for all of it would tell it.
func TestOrdinaryDependents(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	login := pgtest.Role(t, "")
	exec(t, conn, `CREATE FUNCTION "quiet one"() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TABLE parent (x int PRIMARY KEY, y text, UNIQUE (y));
		CREATE TABLE bare (a int);
		CREATE TABLE usual (id serial PRIMARY KEY, other bigint GENERATED ALWAYS AS IDENTITY, a int DEFAULT 1 CHECK (a > 0), b text, x int REFERENCES parent, UNIQUE (a, b));
		CREATE INDEX ON usual (lower(b)) WHERE a > 0;
		CREATE TRIGGER quiet BEFORE INSERT OR UPDATE ON usual FOR EACH ROW EXECUTE FUNCTION "quiet one"();
		CREATE CONSTRAINT TRIGGER checked AFTER DELETE ON usual FOR EACH ROW EXECUTE FUNCTION "quiet one"();
		ALTER TABLE usual DISABLE TRIGGER checked`)
	exec(t, conn, fmt.Sprintf("GRANT SELECT, UPDATE ON usual TO PUBLIC; GRANT ALL ON usual TO %s WITH GRANT OPTION", pgx.Identifier{login}.Sanitize()))
	ask := func(table string, w facts.Wanted) (*facts.Depends, int) {
		t.Helper()
		question := &counted{querier: querier{conn}}
		w.Name, w.Dependents = ddl.Name{Name: table}, true
		known, err := facts.Read(t.Context(), question, []facts.Wanted{w})
		if err != nil {
			t.Fatal(err)
		}
		return known.Relations[facts.Key("", table)].Depends, question.questions
	}
	same := func(table string, questions int) {
		t.Helper()
		got, asked := ask(table, facts.Wanted{})
		want, _ := ask(table, facts.Wanted{Schemas: []string{"public"}}) // asks for all at once
		if !reflect.DeepEqual(got, want) {
			t.Errorf("on %s depends\n%+v\nand by the question for all\n%+v", table, *got, *want)
		}
		if asked != questions {
			t.Errorf("what depends on %s took %d questions, want %d: %+v", table, asked, questions, *want)
		}
	}
	same("bare", 1)
	same("usual", 1)
	same("parent", 1)
	for _, c := range []struct {
		change    string
		questions int
	}{
		{"GRANT SELECT (a, b), UPDATE (b) ON bare TO PUBLIC; GRANT INSERT (a) ON bare TO pg_monitor WITH GRANT OPTION; GRANT DELETE ON bare TO pg_monitor", 1},
		{"CREATE SEQUENCE s OWNED BY bare.a", 1},
		{"ALTER TABLE bare ADD COLUMN g int GENERATED ALWAYS AS (a * 2) STORED", 1},
		{"ALTER TABLE bare ALTER a SET DEFAULT 'bare'::regclass::oid::int, ADD CHECK (a > b), ADD CHECK (bare IS NOT NULL)", 1},
		{"CREATE TRIGGER one BEFORE UPDATE OF a, b ON bare FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION \"quiet one\"()", 1},
		{"CREATE RULE nothing AS ON DELETE TO bare DO INSTEAD NOTHING; CREATE RULE also AS ON UPDATE TO bare DO ALSO DELETE FROM bare WHERE a = NEW.b", 1},
		{"CREATE TABLE child (c int) INHERITS (bare)", 2}, // for the tree
		{"ALTER TABLE bare ADD UNIQUE (a), ADD FOREIGN KEY (b) REFERENCES bare (a)", 1},
		{"ALTER TABLE bare ADD UNIQUE (b, a); CREATE TABLE child (x int, y int, z int, FOREIGN KEY (z, x) REFERENCES bare (b, a) ON DELETE CASCADE NOT VALID); " +
			"CREATE INDEX ON child (x, z, y); INSERT INTO child VALUES (1, 2, NULL)", 1},
		{"ALTER TABLE bare ADD UNIQUE (a); CREATE TABLE child (x int REFERENCES bare (a)) PARTITION BY LIST (x); CREATE TABLE c1 PARTITION OF child FOR VALUES IN (1); " +
			"INSERT INTO bare VALUES (1); INSERT INTO child VALUES (1); ANALYZE child", 2}, // for the tree of the child
		{"CREATE VIEW v AS SELECT a FROM bare", 2},
		{"CREATE VIEW v AS SELECT a, b FROM bare; CREATE VIEW w AS SELECT b FROM v; CREATE MATERIALIZED VIEW m AS SELECT x.b FROM w x, bare; CREATE INDEX ON m (b)", 3},
		{"CREATE VIEW v AS SELECT a FROM bare; CREATE SEQUENCE s OWNED BY v.a; CREATE RULE other AS ON INSERT TO usual DO ALSO INSERT INTO bare VALUES (1)", 2},
		{"CREATE POLICY some_rows ON bare USING (a > 0); CREATE POLICY others ON usual USING (a IN (SELECT b FROM bare))", 2},
		{"CREATE STATISTICS s ON a, b FROM bare", 2},
		{"CREATE PUBLICATION everything FOR ALL TABLES", 2},
		{"CREATE PUBLICATION named FOR TABLE usual", 2},
		{"CREATE PUBLICATION named FOR TABLE usual; ALTER TABLE bare SET UNLOGGED", 1},
		{"CREATE CONSTRAINT TRIGGER other AFTER INSERT ON usual FROM bare FOR EACH ROW EXECUTE FUNCTION \"quiet one\"()", 2},
		// What is rare is left to the question for all.
		{"CREATE FUNCTION f(bare) RETURNS int LANGUAGE sql AS 'SELECT 1'", 2},
		{"CREATE TABLE typed (b bare[])", 2},
		{"CREATE VIEW v AS SELECT a FROM bare; CREATE TRIGGER one INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION \"quiet one\"()", 3},
		{"CREATE TABLE other (a int, b oid DEFAULT 'bare'::regclass::oid)", 2},
	} {
		exec(t, conn, `DROP TABLE IF EXISTS bare, child, typed, other CASCADE; DROP PUBLICATION IF EXISTS everything, named;
			CREATE TABLE bare (a int, b int)`)
		exec(t, conn, c.change)
		same("bare", c.questions)
	}
}
