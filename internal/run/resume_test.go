package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// home is a database with a ledger, a login alice whose table t it is, and a control login.
type home struct {
	*place
	alice, control string // roles
	ledger         *revisions.Ledger
	by             revisions.Runner
}

// newHome runs the SQL as alice. The control login is a superuser, or a plain login that is a member of alice and of pg_read_all_stats.
func newHome(t *testing.T, superuser bool, sql string) *home {
	t.Helper()
	h := &home{place: newPlace(t, ""), alice: pgtest.Role(t, "LOGIN")}
	if superuser {
		h.control = pgtest.Role(t, "LOGIN SUPERUSER")
	} else {
		h.control = pgtest.Role(t, "LOGIN IN ROLE pg_read_all_stats, "+h.alice)
	}
	// What only the control login may give away is the prize.
	h.exec(h.look, "CREATE TABLE treasure (); ALTER TABLE treasure OWNER TO "+h.control)
	h.exec(h.look, "GRANT CREATE ON SCHEMA public TO "+h.alice)
	if _, err := revisions.Install(t.Context(), h.open(""), revisions.InstallOptions{ControlRole: h.control}); err != nil {
		t.Fatal(err)
	}
	// The ledger's own event triggers are no code of a stranger's.
	if err := revisions.SetEventTriggers(t.Context(), h.open(""), true); err != nil {
		t.Fatal(err)
	}
	h.exec(h.as(h.alice), sql)
	conn := h.open(h.dsnOf(h.control))
	var err error
	if h.ledger, err = revisions.Open(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if h.by, err = run.Identify(t.Context(), conn, "test"); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *home) dsnOf(role string) string {
	return pgtest.Server(h.T).DSN(role, h.look.Config().Database)
}

func (h *home) as(role string) *pgx.Conn {
	h.Helper()
	return pgtest.Connect(h.T, h.dsnOf(role))
}

// promise writes promises in one transaction of alice's, whose connection is then lost. It returns their ids.
func (h *home) promise(environment map[string]string, promises ...[]rewrite.Step) []int64 {
	h.Helper()
	conn, err := control.Connect(h.Context(), h.dsnOf(h.alice), nil)
	if err != nil {
		h.Fatal(err)
	}
	pid := h.pid(conn)
	var ids []int64
	if err := conn.InTx(h.Context(), func(ctx context.Context) error {
		for _, steps := range promises {
			id, err := revisions.Record(ctx, conn, h.ledger.Key(), revisions.Promise{
				Kind: "test", Tag: "TEST", Table: steps[0].Table.OID, Asked: "TEST", Steps: text(h.T, steps), Environment: text(h.T, environment),
			})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	}); err != nil {
		h.Fatal(err)
	}
	conn.Close()
	h.waitFor("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid)
	return ids
}

func text(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// resume keeps what is open, by the login.
func (h *home) resume(login string) []run.Kept {
	h.Helper()
	kept, err := h.resumer(login).Run(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return kept
}

func (h *home) resumer(login string) run.Resume {
	return run.Resume{
		Ledger: h.ledger, By: h.by, Watch: h.watch(), Report: &notices{},
		Open: func(ctx context.Context) (run.Conn, func(), error) {
			conn, err := control.Connect(ctx, h.dsnOf(login), nil)
			if err != nil {
				return nil, nil, err
			}
			return conn, conn.Close, nil
		},
		Claims:  revisions.ClaimOptions{Early: login == h.alice}, // as pgsluice jobs resume does, and a keeper does not
		Options: run.Options{LockBudget: 20 * time.Second, TurnBudget: 20 * time.Second},
	}
}

// states fails the test unless the promises ended so, in the answer and in the ledger.
func (h *home) states(kept []run.Kept, want ...revisions.State) {
	h.Helper()
	if len(kept) != len(want) {
		h.Fatalf("%d promises were kept, want %d", len(kept), len(want))
	}
	for i, k := range kept {
		row, err := h.ledger.Show(h.Context(), k.Promise.ID)
		if err != nil {
			h.Fatal(err)
		}
		if k.State != want[i] || row.State != want[i] {
			h.Errorf("promise %d is %s, in the ledger %s, want %s: %v", i+1, k.State, row.State, want[i], k.Err)
		}
		if (k.Err == nil) != (want[i] == revisions.Done) || k.Err != nil && row.Message == "" {
			h.Errorf("promise %d: %v, in the ledger %q", i+1, k.Err, row.Message)
		}
	}
}

// plain marks the step's index as one that another login may build.
func plain(step rewrite.Step) rewrite.Step {
	step.Index.Plain = true
	return step
}

func forEachControl(t *testing.T, f func(t *testing.T, superuser bool)) {
	t.Run("control is a superuser", func(t *testing.T) { f(t, true) })
	t.Run("control is a plain login", func(t *testing.T) { f(t, false) })
}

func TestResumeInTheClientsPlace(t *testing.T) {
	forEachControl(t, func(t *testing.T, superuser bool) {
		// What the text means depends on the search_path that alice had.
		h := newHome(t, superuser, `CREATE TABLE t (a int, b int); CREATE INDEX t_old ON t (a); INSERT INTO t VALUES (1, 1);
			CREATE FUNCTION by_path(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN positive($1); END';
			ALTER TABLE t ADD CONSTRAINT positive CHECK (by_path(a)) NOT VALID`)
		h.exec(h.look, "CREATE SCHEMA tools; GRANT ALL ON SCHEMA tools TO "+h.alice)
		h.exec(h.as(h.alice), `CREATE FUNCTION tools.positive(int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 > 0';
			CREATE COLLATION tools.bytes FROM "C"`)
		alter := rewrite.Step{SQL: "ALTER TABLE public.t ALTER COLUMN a SET NOT NULL", Where: rewrite.AfterCommit, Budget: true, Table: h.target("t")}
		environment := map[string]string{"search_path": "tools, public", "role": "none", "DateStyle": "German, DMY"}
		h.promise(environment, []rewrite.Step{plain(h.index("t_b", "b"))}, []rewrite.Step{h.validate("positive")},
			[]rewrite.Step{alter}, []rewrite.Step{h.dropIndex("t_old")})
		h.states(h.resume(h.control), revisions.Done, revisions.Done, revisions.Done, revisions.Done)
		h.indexes("t_b")
		h.is(h.alice, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 't_b'")
		h.is("true", "SELECT convalidated FROM pg_constraint WHERE conname = 'positive'")
		h.is("true", "SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'")
		h.is("0", "SELECT count(*) FROM pg_proc WHERE proname = 'pgsluice_step'")
		h.is("0", advisoryLocks)
		if again := h.resume(h.control); len(again) != 0 {
			t.Errorf("kept twice: %+v", again)
		}
	})
}

// What a role other than the login did is done as that role, as long as the login may be it.
func TestResumeAsTheRole(t *testing.T) {
	forEachControl(t, func(t *testing.T, superuser bool) {
		h := newHome(t, superuser, "")
		team := pgtest.Role(t, "")
		h.exec(h.look, fmt.Sprintf("GRANT %s TO %s; GRANT %[1]s TO %s; CREATE TABLE t (a int); ALTER TABLE t OWNER TO %[1]s; GRANT CREATE ON SCHEMA public TO %[1]s",
			team, h.alice, h.control))
		h.exec(h.look, "ALTER ROLE "+h.alice+" SET role = "+team)
		h.promise(map[string]string{"search_path": "public", "role": team}, []rewrite.Step{plain(h.index("t_a", "a"))})
		h.exec(h.look, "REVOKE "+team+" FROM "+h.alice)
		kept := h.resume(h.control)
		h.states(kept, revisions.Pending)
		if !strings.Contains(kept[0].Err.Error(), "no longer a member of role "+team) {
			t.Errorf("got %v", kept[0].Err)
		}
		h.exec(h.look, "GRANT "+team+" TO "+h.alice)
		byHand := h.resumer(h.control)
		byHand.Claims.Early = true
		kept, err := byHand.Run(h.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.states(kept, revisions.Done)
		h.is(team, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 't_a'")
	})
}

// A control login that cannot be the role leaves the promise to the login itself; so does one that cannot make a function for it.
func TestResumeByALoginThatMayNot(t *testing.T) {
	for why, test := range map[string]struct {
		revoke string
		step   func(h *home) rewrite.Step
	}{
		"may not be role": {"REVOKE %[1]s FROM %[2]s", func(h *home) rewrite.Step { return plain(h.index("t_a", "a")) }},
		"cannot make a function": {"REVOKE TEMPORARY ON DATABASE %[3]s FROM PUBLIC", func(h *home) rewrite.Step {
			return rewrite.Step{SQL: "ALTER TABLE public.t ALTER COLUMN a SET NOT NULL", Where: rewrite.AfterCommit, Budget: true, Table: h.target("t")}
		}},
	} {
		t.Run(why, func(t *testing.T) {
			h := newHome(t, false, "CREATE TABLE t (a int)")
			h.promise(map[string]string{}, []rewrite.Step{test.step(h)})
			h.exec(h.look, fmt.Sprintf(test.revoke, h.alice, h.control, h.look.Config().Database))
			kept := h.resume(h.control)
			h.states(kept, revisions.Pending)
			if message := kept[0].Err.Error(); !strings.Contains(message, why) || !strings.Contains(message, "stays pending for login "+h.alice) {
				t.Errorf("got %s", message)
			}
			h.states(h.resume(h.alice), revisions.Done)
		})
	}
}

// attack is something that alice prepares for whoever keeps her promise.
type attack struct {
	setup string
	// super is run by a superuser who means well.
	super string
	step  func(h *home) rewrite.Step
	// harmless is true when even a plain SET ROLE would not fall for it.
	harmless bool
	want     revisions.State
}

func validateHostile(h *home) rewrite.Step { h.Helper(); return h.validate("hostile") }

func attacks() map[string]attack {
	return map[string]attack{
		"CHECK with a function": {
			setup: "ALTER TABLE t ADD CONSTRAINT hostile CHECK (evil(a)) NOT VALID",
			step:  validateHostile, want: revisions.Done,
		},
		"CHECK with a DO in a function": {
			setup: `CREATE FUNCTION does(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN DO ''BEGIN PERFORM public.evil(1); END''; RETURN true; END';
				ALTER TABLE t ADD CONSTRAINT hostile CHECK (does(a)) NOT VALID`,
			step: validateHostile, want: revisions.Done,
		},
		"CHECK with an immutable wrapper": {
			setup: "ALTER TABLE t ADD CONSTRAINT hostile CHECK (wrapped(a)) NOT VALID",
			step:  validateHostile, want: revisions.Done,
		},
		"CHECK with an operator": {
			setup: `CREATE FUNCTION evil2(int, int) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT public.evil($1)';
				CREATE OPERATOR === (FUNCTION = evil2, LEFTARG = int, RIGHTARG = int);
				ALTER TABLE t ADD CONSTRAINT hostile CHECK (a === 1) NOT VALID`,
			step: validateHostile, want: revisions.Done,
		},
		"CHECK with a domain": {
			setup: `ALTER TABLE t ADD CONSTRAINT hostile CHECK (a::evil_domain IS NOT NULL) NOT VALID`,
			step:  validateHostile, want: revisions.Done,
		},
		"CHECK with a cast": {
			setup: `CREATE TYPE own AS (x int); CREATE FUNCTION to_own(int) RETURNS own LANGUAGE plpgsql AS 'BEGIN PERFORM public.evil(1); RETURN ROW(1); END';
				CREATE CAST (int AS own) WITH FUNCTION to_own(int);
				ALTER TABLE t ADD CONSTRAINT hostile CHECK (a::own IS NOT NULL) NOT VALID`,
			step: validateHostile, want: revisions.Done,
		},
		"foreign key with an implicit cast": {
			setup: `CREATE TYPE own AS (x int); CREATE FUNCTION to_int(own) RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM public.evil(1); RETURN 1; END';
				CREATE CAST (own AS int) WITH FUNCTION to_int(own) AS IMPLICIT;
				CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
				ALTER TABLE t ADD COLUMN r own; UPDATE t SET r = ROW(1);
				ALTER TABLE t ADD CONSTRAINT hostile FOREIGN KEY (r) REFERENCES parent NOT VALID`,
			step: validateHostile, want: revisions.Done,
		},
		"ALTER with a function": {
			setup: "",
			step: func(h *home) rewrite.Step {
				return rewrite.Step{
					SQL:   "ALTER TABLE public.t ALTER COLUMN a TYPE boolean USING public.evil(a)",
					Where: rewrite.AfterCommit, Budget: true, Table: h.target("t"),
				}
			},
			want: revisions.Done,
		},
		// The transaction of the function ends outside of it: what is deferred to its end would run as the control login.
		"deferred trigger": {
			setup: `CREATE TABLE bait (a int);
				CREATE FUNCTION spring() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM public.evil(1); RETURN NULL; END';
				CREATE CONSTRAINT TRIGGER spring AFTER INSERT ON bait DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spring();
				CREATE FUNCTION lay(int) RETURNS boolean LANGUAGE sql VOLATILE AS 'INSERT INTO public.bait VALUES (1); SELECT true';
				ALTER TABLE t ADD CONSTRAINT hostile CHECK (lay(a)) NOT VALID`,
			step: validateHostile, want: revisions.Pending,
		},
		"deferred trigger on a temporary table": {
			setup: `CREATE FUNCTION spring() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM public.evil(1); RETURN NULL; END';
				CREATE FUNCTION lay(int) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
					CREATE TEMPORARY TABLE bait (a int) ON COMMIT DROP;
					CREATE CONSTRAINT TRIGGER spring AFTER INSERT ON pg_temp.bait DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.spring();
					INSERT INTO pg_temp.bait VALUES (1);
					RETURN true; END $f$;
				ALTER TABLE t ADD CONSTRAINT hostile CHECK (lay(a)) NOT VALID`,
			step: validateHostile, want: revisions.Pending,
		},
		"cursor that COMMIT reads": {
			setup: `CREATE FUNCTION hold(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''DECLARE c CURSOR WITH HOLD FOR SELECT public.evil(1)''; RETURN true; END';
				ALTER TABLE t ADD CONSTRAINT hostile CHECK (hold(a)) NOT VALID`,
			step: validateHostile, want: revisions.Pending,
		},
		// Behind the function the names of our own SQL would be looked up in a schema of alice's.
		"search_path left behind": {
			setup: `CREATE FUNCTION shadow(name, name) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT public.evil(1)';
				CREATE OPERATOR = (FUNCTION = shadow, LEFTARG = name, RIGHTARG = name);
				CREATE FUNCTION set_config(text, text, boolean) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT public.evil(1)::text';
				CREATE VIEW pg_class AS SELECT public.evil(1) AS oid; CREATE VIEW pg_locks AS SELECT public.evil(1) AS pid;
				CREATE FUNCTION leave(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN
					PERFORM pg_catalog.set_config(''search_path'', ''public, pg_catalog'', false); RETURN true; END';
				ALTER TABLE t ADD CONSTRAINT hostile CHECK (leave(a)) NOT VALID`,
			step: validateHostile, harmless: true, want: revisions.Done,
		},
		// The server reads constants of a domain, and runs its check, before it restricts what an index build may do.
		"domain in the text of an index": {
			setup: "",
			step: func(h *home) rewrite.Step {
				return h.index("t_a", "(a = ANY ('{1}'::public.evil_domain[]))")
			},
			want: revisions.Pending,
		},
		"index on a function": {
			setup: "",
			step:  func(h *home) rewrite.Step { return h.index("t_a", "public.wrapped(a)") },
			// The server restricts it.
			harmless: true, want: revisions.Pending,
		},
		"REINDEX of an index on a function": {
			setup: "CREATE INDEX t_a ON t (wrapped(a))",
			step: func(h *home) rewrite.Step {
				step := h.dropIndex("t_a")
				step.SQL, step.Index.Drop = "REINDEX INDEX CONCURRENTLY public.t_a", false
				return step
			},
			harmless: true, want: revisions.Done,
		},
		"event trigger with a function of alice's, index": {
			super: "CREATE EVENT TRIGGER %s ON ddl_command_start EXECUTE FUNCTION on_ddl()",
			step:  func(h *home) rewrite.Step { return plain(h.index("t_a", "a")) },
			want:  revisions.Pending,
		},
		"event trigger with a function of alice's, VALIDATE": {
			setup: "ALTER TABLE t ADD CONSTRAINT hostile CHECK (a > 0) NOT VALID",
			super: "CREATE EVENT TRIGGER %s ON ddl_command_end EXECUTE FUNCTION on_ddl()",
			step:  validateHostile, want: revisions.Pending,
		},
		"event trigger that looks a name up": {
			super: `CREATE SCHEMA audit; CREATE FUNCTION audit.note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM evil(1); END';
				CREATE EVENT TRIGGER %s ON ddl_command_start EXECUTE FUNCTION audit.note()`,
			step: func(h *home) rewrite.Step { return plain(h.index("t_a", "a")) },
			want: revisions.Pending,
		},
	}
}

// weapons are alice's: evil takes what the login that runs it has, and counts its calls where no rollback reaches.
const weapons = `CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE SEQUENCE calls;
	CREATE FUNCTION evil(int) RETURNS boolean LANGUAGE plpgsql AS $f$
	DECLARE
		attempt text;
	BEGIN
		PERFORM pg_catalog.nextval('public.calls');
		FOREACH attempt IN ARRAY ARRAY['RESET SESSION AUTHORIZATION', 'RESET ROLE', 'SET ROLE postgres',
			'GRANT SELECT ON public.treasure TO ' || (SELECT pg_catalog.quote_ident(tableowner) FROM pg_catalog.pg_tables WHERE schemaname = 'public' AND tablename = 't'),
			'ALTER ROLE ' || (SELECT pg_catalog.quote_ident(tableowner) FROM pg_catalog.pg_tables WHERE schemaname = 'public' AND tablename = 't') || ' SUPERUSER']
		LOOP
			BEGIN
				EXECUTE attempt;
			EXCEPTION WHEN OTHERS THEN NULL;
			END;
		END LOOP;
		RETURN true;
	END $f$;
	CREATE FUNCTION wrapped(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN public.evil($1); END';
	CREATE DOMAIN evil_domain AS int CHECK (evil(VALUE));
	CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM public.evil(1); END';`

// mount prepares an attack and returns the step that is to fall for it.
func (a attack) mount(t *testing.T, superuser bool) (*home, rewrite.Step) {
	t.Helper()
	h := newHome(t, superuser, weapons+a.setup)
	if a.super != "" {
		name := pgtest.Role(t, "") // a name that no other database has
		h.exec(h.look, fmt.Sprintf(a.super, name))
		t.Cleanup(func() {
			if _, err := h.look.Exec(context.Background(), "DROP EVENT TRIGGER "+name); err != nil {
				t.Error(err)
			}
		})
	}
	return h, a.step(h)
}

func (h *home) gained(want bool) {
	h.Helper()
	h.is(fmt.Sprint(want), "SELECT has_table_privilege($1, 'treasure', 'SELECT')", h.alice)
}

func TestNothingIsGainedByAPromise(t *testing.T) {
	for name, attack := range attacks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("the attack is real", func(t *testing.T) {
				h, step := attack.mount(t, true)
				naive := h.as(h.control)
				h.exec(naive, "SET search_path = public, pg_catalog")
				h.exec(naive, "SET ROLE "+h.alice)
				if _, err := naive.Exec(t.Context(), step.SQL); err != nil {
					t.Fatal(err)
				}
				h.gained(!attack.harmless)
			})
			forEachControl(t, func(t *testing.T, superuser bool) {
				h, step := attack.mount(t, superuser)
				h.promise(map[string]string{"search_path": "public, pg_catalog", "role": "none"}, []rewrite.Step{step})
				kept := h.resume(h.control)
				h.states(kept, attack.want)
				h.gained(false)
				if attack.want != revisions.Pending {
					return
				}
				if message := kept[0].Err.Error(); !strings.Contains(message, "stays pending for login "+h.alice) {
					t.Errorf("got %s", message)
				}
				h.states(h.resume(h.alice), revisions.Done)
				h.gained(false)
			})
		})
	}
}

func TestResumeGoesOnBehindAFailure(t *testing.T) {
	h := newHome(t, true, `CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1), (-1); CREATE INDEX t_old ON t (a);
		ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID`)
	ids := h.promise(map[string]string{},
		[]rewrite.Step{plain(h.unique("t_a", "a"))},
		[]rewrite.Step{h.validate("positive")},
		[]rewrite.Step{plain(h.index("t_b", "a"))},
		[]rewrite.Step{h.dropIndex("t_old")})
	kept := h.resume(h.control)
	h.states(kept, revisions.Failed, revisions.Failed, revisions.Done, revisions.Pending)
	if run.SQLState(kept[0].Err) != "23505" || run.SQLState(kept[1].Err) != "23514" {
		t.Errorf("got %v and %v", kept[0].Err, kept[1].Err)
	}
	h.indexes("t_b t_old") // the replacement is not there, so the old one stays

	h.exec(h.look, "DELETE FROM t")
	for _, id := range ids[:2] {
		if err := h.ledger.Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	h.states(h.resume(h.control), revisions.Done, revisions.Done, revisions.Done)
	h.indexes("t_a t_b")
}

func TestResumeLeavesALivingBackendItsPromises(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (a int)")
	conn := h.open(h.dsnOf(h.alice))
	if err := conn.InTx(t.Context(), func(ctx context.Context) error {
		_, err := revisions.Record(ctx, conn, h.ledger.Key(), revisions.Promise{
			Kind: "test", Tag: "CREATE INDEX", Table: h.target("t").OID, Steps: text(t, []rewrite.Step{plain(h.index("t_a", "a"))}), Environment: text(t, nil),
		})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if kept := h.resume(h.control); len(kept) != 0 {
		t.Errorf("taken from its backend: %+v", kept)
	}
}

func TestResumeWithoutItsTable(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (a int)")
	h.promise(map[string]string{}, []rewrite.Step{plain(h.index("t_a", "a"))})
	h.exec(h.look, "DROP TABLE t; CREATE TABLE t (a int)")
	h.states(h.resume(h.control), revisions.Void)
	h.indexes("")
}

func TestResumeOfAChangedTable(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (a int)")
	h.promise(map[string]string{}, []rewrite.Step{plain(h.index("t_a", "a"))})
	h.exec(h.look, "ALTER TABLE t RENAME TO other; CREATE TABLE t (a int)")
	kept := h.resume(h.control)
	h.states(kept, revisions.Failed)
	if !strings.Contains(kept[0].Err.Error(), "table public.t is now public.other") {
		t.Errorf("got %v", kept[0].Err)
	}
	h.indexes("")
}

func TestResumeRefusesAForgedPromise(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (a int)")
	h.promise(map[string]string{}, []rewrite.Step{plain(h.index("t_a", "a"))})
	h.exec(h.look, `UPDATE pgsluice.promises SET payload = replace(payload::text, 't_a', 't_z')::json`)
	h.states(h.resume(h.control), revisions.Failed)
	h.indexes("")
}

func TestResumeKeepsWhatALockHoldsUp(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (a int)")
	h.promise(map[string]string{}, []rewrite.Step{{SQL: "ALTER TABLE public.t ALTER COLUMN a SET NOT NULL", Where: rewrite.AfterCommit, Budget: true, Table: h.target("t")}})
	reader := h.connect()
	h.exec(reader, "BEGIN; SELECT FROM t")
	r := h.resumer(h.control)
	r.LockBudget, r.FirstTry, r.LongestTry = 4*time.Second, 2*time.Second, 2*time.Second // long enough to be looked at
	kept, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.states(kept, revisions.Pending)
	if run.SQLState(kept[0].Err) != "55P03" || !strings.Contains(kept[0].Err.Error(), fmt.Sprintf("pid %d", reader.PgConn().PID())) {
		t.Errorf("got %v", kept[0].Err)
	}
	h.is("true", "SELECT not_before > clock_timestamp() FROM pgsluice.promises")
}

func TestResumeGivesBackWhenItIsStopped(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (a int)")
	h.promise(map[string]string{}, []rewrite.Step{plain(h.index("t_a", "a"))}, []rewrite.Step{plain(h.index("t_b", "a"))})
	writer := h.connect()
	h.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan []run.Kept, 1)
	go func() {
		kept, err := h.resumer(h.control).Run(ctx)
		if err == nil {
			t.Error("a stopped Resume says nothing")
		}
		done <- kept
	}()
	h.waitFor("SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for writers before build%')")
	stop()
	h.waitFor("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'DROP INDEX%' AND wait_event_type = 'Lock')")
	h.exec(writer, "COMMIT")
	kept := <-done
	h.states(kept, revisions.Pending)
	h.indexes("")
	h.is("2", "SELECT count(*) FROM pgsluice.promises WHERE state = 'pending' AND claimed_by = ''")
}

// A plan's connection dies in the middle of a build, the server notices it, and another finishes.
func TestResumeAfterALostConnection(t *testing.T) {
	forEachControl(t, func(t *testing.T, superuser bool) {
		h := newHome(t, superuser, "CREATE TABLE t (a int)")
		ids := h.promise(map[string]string{}, []rewrite.Step{plain(h.index("t_a", "a"))})
		writer := h.connect()
		h.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
		r := h.runner()
		r.Conn, r.Artifacts, r.Promise = h.open(h.dsnOf(h.alice)), h.ledger, ids[0]
		backend, err := run.Identify(t.Context(), r.Conn, "dies")
		if err != nil {
			t.Fatal(err)
		}
		r.BackendStart = backend.BackendStart
		pid := h.pid(r.Conn)
		done := start(t.Context(), r, h.index("t_a", "a"))
		h.waitFor(waitsForWriters, pid)
		h.is("1", "SELECT count(*) FROM pgsluice.artifacts")
		h.exec(h.look, fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid))
		if o := <-done; o.err == nil {
			t.Fatal("the build ended")
		}
		h.indexes("t_a INVALID")
		h.exec(writer, "COMMIT")
		h.states(h.resume(h.control), revisions.Done)
		h.indexes("t_a")
		h.is(h.alice, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 't_a'")
		h.is("0", "SELECT count(*) FROM pgsluice.artifacts")
	})
}

// Without a promise behind it, the index of a broken build is nobody's but the artifacts tell of it.
func TestResumeSweepsWhatBrokenBuildsLeft(t *testing.T) {
	forEachControl(t, func(t *testing.T, superuser bool) {
		h := newHome(t, superuser, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1); CREATE INDEX t_whole ON t (a)")
		if _, err := h.as(h.alice).Exec(t.Context(), "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)"); err == nil {
			t.Fatal("there is no leftover")
		}
		gone := h.connect()
		pid := gone.PgConn().PID()
		for _, name := range []string{"t_a", "t_whole", "t_never"} {
			if _, err := h.ledger.Announce(t.Context(), revisions.Artifact{
				Kind: "index", Schema: "public", Name: name, Table: h.target("t").OID, PID: int32(pid), BackendStart: 1,
			}); err != nil {
				t.Fatal(err)
			}
		}
		h.exec(h.look, fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid))
		h.waitFor("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid)
		h.indexes("t_a INVALID t_whole")

		// Somebody works on the table: later.
		other := h.connect()
		h.exec(other, "BEGIN; LOCK TABLE t IN SHARE MODE")
		h.resume(h.control)
		h.indexes("t_a INVALID t_whole")
		h.is("3", "SELECT count(*) FROM pgsluice.artifacts")
		h.exec(other, "COMMIT")

		h.resume(h.control)
		h.indexes("t_whole")
		h.is("0", "SELECT count(*) FROM pgsluice.artifacts")
	})
}

// A promise that is given up takes along the helper that its transaction had made for it.
func TestAbandonRemovesHelpers(t *testing.T) {
	forEachControl(t, func(t *testing.T, superuser bool) {
		name := rewrite.HelperPrefix + "test"
		h := newHome(t, superuser, fmt.Sprintf("CREATE TABLE t (a int, CONSTRAINT own CHECK (a > 0)); ALTER TABLE t ADD CONSTRAINT %q CHECK (a IS NOT NULL) NOT VALID", name))
		step := rewrite.Step{SQL: "ALTER TABLE public.t VALIDATE CONSTRAINT own", Where: rewrite.AfterCommit, Table: h.target("t"),
			Helpers: []rewrite.Helper{{Name: name, Drop: true}}}
		id := h.promise(map[string]string{}, []rewrite.Step{step})[0]
		row, err := h.ledger.Show(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.ledger.Void(t.Context(), id, "given up"); err != nil {
			t.Fatal(err)
		}
		if err := h.resumer(h.control).Abandon(t.Context(), *row); err != nil {
			t.Fatal(err)
		}
		h.is("own", "SELECT string_agg(conname, ' ') FROM pg_constraint WHERE conrelid = 't'::regclass")
		h.is("0", "SELECT count(*) FROM pgsluice.artifacts")
	})
}
