package ddl

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// prefilterByPlace is what Prefilter must say: it tries every place.
func prefilterByPlace(raw []byte) Concern { return keywordIn(raw, 0, len(raw), allWrites) }

func TestPrefilterFindsWordsAtEveryPlace(t *testing.T) {
	words := strings.Fields("CREATE alter Drop tRUNCATE lock REINDEX cluster VACUUM refresh IMPORT reassign call REPACK Grant revoke into do merge PROGRAM update delete insert search_path")
	for _, word := range words {
		for place := range 40 {
			for length := range 40 {
				text := strings.Repeat("x ", 30)[:place] + " " + word + "/" + strings.Repeat(" y", 30)[:length]
				if Prefilter([]byte(text)) == 0 {
					t.Fatalf("does not find %s in %q", word, text)
				}
				if Prefilter([]byte(word+text[place+1+len(word):])) == 0 {
					t.Fatalf("does not find %s in front of %q", word, text[place+1+len(word):])
				}
			}
		}
	}
	for place := range 40 {
		if text := strings.Repeat("x", place) + `."PG_ADVISORY_lock`; Prefilter([]byte(text)) == 0 {
			t.Fatalf("does not find pg_advisory_ in %q", text)
		}
	}
	for _, part := range versionTableParts {
		for place := range 40 {
			if text := strings.Repeat("x", place) + strings.ToUpper(part) + strings.Repeat("s", place); Prefilter([]byte(text)) != Anything {
				t.Fatalf("does not find %s in %q", part, text)
			}
		}
	}
}

// Which bytes beside a word rule it out.
func TestPrefilterNeighbours(t *testing.T) {
	for c := range 256 {
		before, behind := []byte("12345678 CREATE "), []byte("12345678 CREATE ")
		before[8], behind[15] = byte(c), byte(c)
		if got, want := Prefilter(before) == Anything, !isWordByte(byte(c)); got != want {
			t.Errorf("%q: %v", before, got)
		}
		if got, want := Prefilter(behind) == Anything, !isWordByte(byte(c)) && !isDigit(byte(c)); got != want {
			t.Errorf("%q: %v", behind, got)
		}
	}
}

func TestPrefilter(t *testing.T) {
	for text, want := range map[string]Concern{
		"":                                0,
		"SELECT 1;create table t ()":      Anything,
		"SELECT $$create":                 Anything,
		"SELECT 'drop'":                   Anything,
		"/*x*/drop":                       Anything,
		"SELECT 1create":                  Anything,
		"GRANT SELECT ON t TO app":        Anything,
		"revoke ALL ON t FROM app":        Anything,
		"SELECT revoked FROM t":           0,
		"comment ON TABLE t IS 'x'":       Anything,
		"COMMENT/**/ON TABLE t IS 'x'":    Anything,
		"COMMENT -- x\nON TABLE t IS 'x'": Anything,
		"COMMENT\tON TABLE t IS 'x'":      Anything,
		"SELECT comment, comments, comment_on FROM t WHERE comment = $1": 0,
		"INSERT INTO t (comment) VALUES ($1) ON CONFLICT DO NOTHING":     0,
		"SECURITY LABEL ON TABLE t IS 'x'":                               Anything,
		"security/**/label ON TABLE t IS 'x'":                            Anything,
		"SELECT security, label, security_label FROM t":                  0,
		"SELECT 1 INTO t":                                                                Anything,
		"SELECT 1 INTO t FROM x":                                                         Anything,
		"SELECT 1 INTO TEMP values":                                                      Anything,
		"SELECT 1 INTO unlogged TABLE \"as\"":                                            Anything,
		"SELECT 1 INTO TABLE t":                                                          Anything,
		"SELECT 1 INTO t -- \nVALUES":                                                    Anything,
		"SELECT 1 INTO t;SELECT (1)":                                                     Anything,
		"SELECT * FROM u WHERE went = 'into'":                                            Anything,
		"SELECT 1 AS insert INTO t":                                                      Anything,
		"SELECT 1 -- ;insert\n INTO t":                                                   Anything,
		"insert/**/INTO t VALUES (1)":                                                    Writes,
		"/*app:x*/ INSERT INTO t (a) VALUES (1)":                                         0,
		"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x":                             Writes,
		"INSERT INTO s.\"T\" AS x (a) VALUES (1)":                                        Writes,
		"INSERT INTO t OVERRIDING USER VALUE VALUES (1)":                                 Writes,
		"MERGE INTO t x USING s ON a = b WHEN MATCHED THEN DELETE":                       Writes,
		"SELECT * FROM Alembic_Version":                                                  Anything,
		`INSERT INTO x."SequelizeMeta" VALUES ('a')`:                                     Anything,
		"SELECT average, integrated, schema_id, plans, emails, aversion FROM change_log": 0,
		"SELECT created_at, is_locked FROM t":                                            0,
		"SELECT dropped, alterations FROM t":                                             0,
		"SELECT 1 FOR UPDATE SKIP LOCKED":                                                0,
		"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING":                                0,
		"INSERT INTO t VALUES (1) ON CONFLICT (a) DO\r\n\tUPDATE SET a = 1":              Writes, // "-- DO" may end there
		"INSERT INTO t VALUES (1) ON CONFLICT (a) DO/**/UPDATE SET a = 1":                Anything,
		"DO UPDATES":                                                   Anything,
		"DELETE FROM t":                                                Writes,
		"UPDATE t SET a = 1":                                           Writes,
		"UPDATE t SET a = 1 WHERE true":                                Writes,
		"UPDATE t SET a = 1 WHERE 1 = 1":                               Writes,
		"UPDATE t SET a = 1 WHERE b = 1 OR 1=1":                        Writes,
		"UPDATE t SET a = 1 WHERE id = id":                             Writes,
		"UPDATE t SET a = (SELECT 1 WHERE b=1)":                        Writes,
		"DELETE FROM t -- WHERE a = 1":                                 Writes,
		"DELETE FROM t /* WHERE a = 1 */":                              Writes,
		"DELETE FROM t; SELECT 1 WHERE a = 1":                          Writes,
		`DELETE FROM "t WHERE a = 1"`:                                  Writes,
		"UPDATE t SET a = ' WHERE a = 1'":                              Writes,
		"WITH x AS (DELETE FROM t) SELECT 1 WHERE a = 1":               Writes,
		"-- for\nUPDATE t SET a = 1":                                   Writes,
		"/* do */UPDATE t SET a = 1":                                   Anything,
		"UPDATE t SET a = E'\\'' WHERE a = 1":                          Writes, // it depends on a setting where it ends
		"UPDATE t SET a = $$ WHERE a = 1$$":                            Writes,
		"MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE":       Writes,
		"COPY t FROM PROGRAM 'x'":                                      Anything,
		"SELECT program_id, deleted, updated_at FROM t FOR UPDATE":     0,
		"SELECT 1 FROM t FOR NO KEY UPDATE":                            0,
		"DELETE FROM t WHERE id = 5":                                   Writes,
		"DELETE FROM ONLY \"T\" WHERE \"T\".\"id\" IN ($1, $2)":        Writes,
		"UPDATE t SET a = 'it''s', b = $2 WHERE id = $1":               Writes,
		"UPDATE t SET a = now(), b = (SELECT 1) WHERE (id >= 5 AND x)": Writes,
		"DELETE FROM t WHERE a < now() - b":                            Writes,
		"DELETE FROM t WHERE t.a = s.a":                                Writes,
		"DELETE FROM t WHERE A = \"a\"":                                Writes,
		"DELETE FROM t WHERE a =/*x*/ a":                               Writes,
		"DELETE FROM t WHERE t.a = t . a":                              Writes,
		"DELETE FROM t WHERE U&\"a\" = a":                              Writes,
		"DELETE FROM t WHERE a = CAST(a AS int)":                       Writes,
		"DELETE FROM t WHERE a IS NULL":                                Writes,
		"DELETE FROM t WHERE CURRENT OF c":                             Writes,
		"DO 'x'":                                                       Anything,
		"DO$$x$$":                                                      Anything,
		"do language sql ''":                                           Anything,
		"select pg_catalog.pg_advisory_lock(1)":                        Anything,
		"select pg_try_advisory_lock(1)":                               0,
		"create":                                                       Anything,
		"recreate":                                                     0,
		"create1":                                                      0,
		"create_":                                                      0,
		"create$":                                                      Anything,
		"\x83create":                                                   Anything, // a byte of an unknown encoding
		"INSERT INTO t SELECT 1":                                       Writes,
		"insert into t values (1, 'SELECT')":                           0,
		"insert into \"a\".\"T\" (a, \"b c\")\n\tVALUES ($1, $2)":      0,
		"INSERT INTO t DEFAULT VALUES":                                 0,
		"INSERT INTO t (a) SELECT * FROM x":                            Writes,
		"INSERT INTO t (a) (VALUES (1))":                               Writes,
		"INSERT INTO t TABLE x":                                        Writes,
		"INSERT INTO t/**/VALUES (1)":                                  Anything,
		"WITH x AS (INSERT INTO t SELECT 1 RETURNING 1) SELECT 1":      Writes,
		"set SEARCH_PATH to x":                                         Path,
		"select set_config('search_path', $1, false); delete from t":   Writes | Path,
	} {
		if got := Prefilter([]byte(text)); got != want && got&want&Anything == 0 {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestPrefilterAgreesWithEveryPlace(t *testing.T) {
	parts := append(strings.Fields("create alter drop truncate lock reindex cluster vacuum refresh import reassign grant revoke comment on security label /*x*/ ; ( do DO call repack pg_advisory_ Migration alembic izemeta maversion a_version goose_db flyway changelog a_revisions planner_ nothing UPDATE delete merge program where for or a=1 t; insert into values select search_path "),
		" ", " ", "\n", "_", "x", "é", "1", "$", "'", "eate", "o ", " d", "\x81")
	random := newRandom(3)
	for range 200_000 {
		var raw bytes.Buffer
		for range random.IntN(12) {
			part := parts[random.IntN(len(parts))]
			if random.IntN(8) == 0 {
				part = part[:random.IntN(len(part)+1)]
			}
			raw.WriteString(part)
		}
		if got, want := Prefilter(raw.Bytes()), prefilterByPlace(raw.Bytes()); got != want && got&want&Anything == 0 {
			t.Fatalf("%q: %v", raw.Bytes(), got)
		}
	}
}

func TestPrefilterAllocatesNothing(t *testing.T) {
	text := []byte(ordinaryText(t, 4096))
	if allocations := testing.AllocsPerRun(100, func() { Prefilter(text) }); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

// ordinaryText is what applications send: whole statements, and blanks up to the size.
func ordinaryText(t testing.TB, size int) string {
	statements := strings.Split(strings.TrimSpace(readFile(t, "testdata/ordinary.sql")), "\n")
	var text strings.Builder
	for i := 0; text.Len()+len(statements[i])+2 <= size; i = (i + 1) % len(statements) {
		text.WriteString(statements[i] + ";\n")
	}
	return text.String() + strings.Repeat(" ", size-text.Len())
}

func BenchmarkPrefilter(b *testing.B) {
	for _, size := range []int{64, 512, 4096, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			text := []byte(ordinaryText(b, size))
			b.SetBytes(int64(size))
			for b.Loop() {
				if Prefilter(text)&Anything != 0 {
					b.Fatal("found a word in ordinary text")
				}
			}
		})
	}
}
