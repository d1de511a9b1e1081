package ddl

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// prefilterByPlace is what Prefilter must say: it tries every place.
func prefilterByPlace(raw []byte) bool { return keywordIn(raw, 0, len(raw), true) }

func TestPrefilterFindsWordsAtEveryPlace(t *testing.T) {
	words := strings.Fields("CREATE alter Drop tRUNCATE lock REINDEX cluster VACUUM refresh IMPORT reassign call REPACK Grant do merge PROGRAM update delete")
	for _, word := range words {
		for place := range 40 {
			for length := range 40 {
				text := strings.Repeat("x ", 30)[:place] + " " + word + "/" + strings.Repeat(" y", 30)[:length]
				if !Prefilter([]byte(text)) {
					t.Fatalf("does not find %s in %q", word, text)
				}
				if !Prefilter([]byte(word + text[place+1+len(word):])) {
					t.Fatalf("does not find %s in front of %q", word, text[place+1+len(word):])
				}
			}
		}
	}
	for place := range 40 {
		if text := strings.Repeat("x", place) + `."PG_ADVISORY_lock`; !Prefilter([]byte(text)) {
			t.Fatalf("does not find pg_advisory_ in %q", text)
		}
	}
	for _, part := range versionTableParts {
		for place := range 40 {
			if text := strings.Repeat("x", place) + strings.ToUpper(part) + strings.Repeat("s", place); !Prefilter([]byte(text)) {
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
		if got, want := Prefilter(before), !isWordByte(byte(c)); got != want {
			t.Errorf("%q: %v", before, got)
		}
		if got, want := Prefilter(behind), !isWordByte(byte(c)) && !isDigit(byte(c)); got != want {
			t.Errorf("%q: %v", behind, got)
		}
	}
}

func TestPrefilter(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                 false,
		"SELECT 1;create table t ()":       true,
		"SELECT $$create":                  true,
		"SELECT 'drop'":                    true,
		"/*x*/drop":                        true,
		"SELECT 1create":                   true,
		"GRANT SELECT ON t TO app":         true,
		"SELECT granted, immigrant FROM t": false,
		"SELECT * FROM Alembic_Version":    true,
		`INSERT INTO x."SequelizeMeta" VALUES ('a')`:                                     true,
		"SELECT average, integrated, schema_id, plans, emails, aversion FROM change_log": false,
		"SELECT created_at, is_locked FROM t":                                            false,
		"SELECT dropped, alterations FROM t":                                             false,
		"SELECT 1 FOR UPDATE SKIP LOCKED":                                                false,
		"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING":                                false,
		"INSERT INTO t VALUES (1) ON CONFLICT (a) DO\r\n\tUPDATE SET a = 1":              true, // "-- DO" may end there
		"INSERT INTO t VALUES (1) ON CONFLICT (a) DO/**/UPDATE SET a = 1":                true,
		"DO UPDATES":                                                   true,
		"DELETE FROM t":                                                true,
		"UPDATE t SET a = 1":                                           true,
		"UPDATE t SET a = 1 WHERE true":                                true,
		"UPDATE t SET a = 1 WHERE 1 = 1":                               true,
		"UPDATE t SET a = 1 WHERE b = 1 OR 1=1":                        true,
		"UPDATE t SET a = 1 WHERE id = id":                             true,
		"UPDATE t SET a = (SELECT 1 WHERE b=1)":                        true,
		"DELETE FROM t -- WHERE a = 1":                                 true,
		"DELETE FROM t /* WHERE a = 1 */":                              true,
		"DELETE FROM t; SELECT 1 WHERE a = 1":                          true,
		`DELETE FROM "t WHERE a = 1"`:                                  true,
		"UPDATE t SET a = ' WHERE a = 1'":                              true,
		"WITH x AS (DELETE FROM t) SELECT 1 WHERE a = 1":               true,
		"-- for\nUPDATE t SET a = 1":                                   true,
		"/* do */UPDATE t SET a = 1":                                   true,
		"UPDATE t SET a = E'\\'' WHERE a = 1":                          true, // it depends on a setting where it ends
		"UPDATE t SET a = $$ WHERE a = 1$$":                            true,
		"MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE":       true,
		"COPY t FROM PROGRAM 'x'":                                      true,
		"SELECT program_id, deleted, updated_at FROM t FOR UPDATE":     false,
		"SELECT 1 FROM t FOR NO KEY UPDATE":                            false,
		"DELETE FROM t WHERE id = 5":                                   false,
		"DELETE FROM ONLY \"T\" WHERE \"T\".\"id\" IN ($1, $2)":        false,
		"UPDATE t SET a = 'it''s', b = $2 WHERE id = $1":               false,
		"UPDATE t SET a = now(), b = (SELECT 1) WHERE (id >= 5 AND x)": false,
		"DELETE FROM t WHERE a < now() - b":                            false,
		"DELETE FROM t WHERE t.a = s.a":                                false,
		"DELETE FROM t WHERE A = \"a\"":                                true,
		"DELETE FROM t WHERE a =/*x*/ a":                               true,
		"DELETE FROM t WHERE t.a = t . a":                              true,
		"DELETE FROM t WHERE U&\"a\" = a":                              true,
		"DELETE FROM t WHERE a = CAST(a AS int)":                       true,
		"DELETE FROM t WHERE a IS NULL":                                false,
		"DELETE FROM t WHERE CURRENT OF c":                             false,
		"DO 'x'":                                                       true,
		"DO$$x$$":                                                      true,
		"do language sql ''":                                           true,
		"select pg_catalog.pg_advisory_lock(1)":                        true,
		"select pg_try_advisory_lock(1)":                               false,
		"create":                                                       true,
		"recreate":                                                     false,
		"create1":                                                      false,
		"create_":                                                      false,
		"create$":                                                      true,
		"\x83create":                                                   true, // a byte of an unknown encoding
	} {
		if got := Prefilter([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestPrefilterAgreesWithEveryPlace(t *testing.T) {
	parts := append(strings.Fields("create alter drop truncate lock reindex cluster vacuum refresh import reassign grant do DO call repack pg_advisory_ Migration alembic izemeta maversion a_version goose_db flyway changelog a_revisions planner_ nothing UPDATE delete merge program where for or a=1 t; "),
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
		if got, want := Prefilter(raw.Bytes()), prefilterByPlace(raw.Bytes()); got != want {
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
				if Prefilter(text) {
					b.Fatal("found a word in ordinary text")
				}
			}
		})
	}
}
