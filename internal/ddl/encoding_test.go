package ddl

import (
	"errors"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// What the server reads in an encoding and what Decode reads have the same characters in the same places: where a character is ASCII to one it
// is the same to the other, so no quote, backslash or letter of a keyword is seen by one alone.
func TestEncodingsReadLikeTheServer(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	mustExec(t, conn, `
		CREATE FUNCTION read(raw bytea, encoding name) RETURNS text LANGUAGE plpgsql AS $$
		BEGIN
			RETURN convert_from(raw, encoding);
		EXCEPTION WHEN OTHERS THEN
			RETURN NULL;
		END $$`)
	for name, wide := range map[string]bool{
		"LATIN1": false, "LATIN2": false, "LATIN3": false, "LATIN4": false, "LATIN5": false, "LATIN6": false, "LATIN7": false, "LATIN8": false,
		"LATIN9": false, "LATIN10": false, "ISO_8859_5": false, "ISO_8859_6": false, "ISO_8859_7": false, "ISO_8859_8": false, "KOI8R": false,
		"KOI8U": false, "WIN866": false, "WIN874": false, "WIN1250": false, "WIN1251": false, "WIN1252": false, "WIN1253": false, "WIN1254": false,
		"WIN1255": false, "WIN1256": false, "WIN1257": false, "WIN1258": false,
		"EUC_JP": true, "EUC_KR": true, "EUC_CN": true, "SJIS": true, "UHC": true, "BIG5": true, "GBK": true, "GB18030": true,
	} {
		t.Run(name, func(t *testing.T) {
			encoding, ok := NewEncoding(name)
			if !ok {
				t.Fatal("not known")
			}
			query := `SELECT set_byte('\x00', 0, a), read(set_byte('\x00', 0, a), $1) FROM generate_series(1, 255) AS a`
			if wide {
				query += ` UNION ALL SELECT pair, read(pair, $1) FROM generate_series(128, 255) AS a, generate_series(48, 255) AS b,
					LATERAL (SELECT set_byte(set_byte('\x0000', 0, a), 1, b) AS pair) AS p`
			}
			rows, err := conn.Query(t.Context(), query, name)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			read, refused := 0, 0
			for rows.Next() {
				var raw []byte
				var want *string
				if err := rows.Scan(&raw, &want); err != nil {
					t.Fatal(err)
				}
				if want == nil {
					continue
				}
				got, err := encoding.Decode(raw)
				if err != nil {
					refused++
					continue
				}
				read++
				if !sameShape(got, *want) {
					t.Errorf("%x is %q to us and %q to the server", raw, got, *want)
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d read, %d refused", read, refused)
			if refused > read/5 { // of ISO 8859 the 32 control characters from 0x80 up
				t.Errorf("%d of %d characters of the server are refused", refused, read+refused)
			}
		})
	}
}

// sameShape reports whether two texts have as many characters, and the same ASCII characters in the same places.
func sameShape(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] && (x[i] < 0x80 || y[i] < 0x80) {
			return false
		}
	}
	return true
}

func TestEncodingSurvivesReadingAndWriting(t *testing.T) {
	for _, c := range []struct{ name, text, raw string }{
		{"UTF8", "é日", "é日"},
		{"SQL_ASCII", "é", "é"},
		{"LATIN1", "é\u0081", "\xe9\x81"},
		{"win1252", "€é", "\x80\xe9"},
		{"SJIS", "表\\", "\x95\x5c\\"},
		{"BIG5", "功", "\xa5\x5c"},
		{"EUC_JP", "日", "\xc6\xfc"},
	} {
		encoding, ok := NewEncoding(c.name)
		if !ok {
			t.Fatalf("%s is not known", c.name)
		}
		if text, err := encoding.Decode([]byte(c.raw)); text != c.text || err != nil {
			t.Errorf("%s: %x reads %q, %v", c.name, c.raw, text, err)
		}
		if raw, err := encoding.Encode(c.text); string(raw) != c.raw || err != nil {
			t.Errorf("%s: %q writes %x, %v", c.name, c.text, raw, err)
		}
	}
}

func TestEncodingRefusesWhatItCannotProve(t *testing.T) {
	unknown, ok := NewEncoding("MULE_INTERNAL")
	if ok {
		t.Error("MULE_INTERNAL is known")
	}
	if text, err := unknown.Decode([]byte("SELECT 1")); text != "SELECT 1" || err != nil {
		t.Errorf("ASCII in an unknown encoding: %q, %v", text, err)
	}
	for _, c := range []struct{ name, raw string }{
		{"MULE_INTERNAL", "\x81\xe9"},
		{"UTF8", "\xe9"},
		{"UTF8", "\xc0\x80"},
		{"SJIS", "\x95"},
		{"SJIS", "\x81\x20"},
		{"WIN1252", "\x81"},
	} {
		encoding, _ := NewEncoding(c.name)
		if text, err := encoding.Decode([]byte(c.raw)); !errors.Is(err, ErrEncoding) {
			t.Errorf("%s: %x reads %q, %v", c.name, c.raw, text, err)
		}
	}
	latin, _ := NewEncoding("LATIN1")
	if raw, err := latin.Encode("日"); !errors.Is(err, ErrEncoding) {
		t.Errorf("LATIN1 writes %x, %v", raw, err)
	}
}

// The attack of hidden backslashes: the server ends the string where a reading byte by byte sees an escaped quote.
func TestEncodingShowsWhatTheServerRuns(t *testing.T) {
	sjis, _ := NewEncoding("SJIS")
	text, err := sjis.Decode([]byte("SELECT E'\x95\\'; DROP TABLE victim; --'"))
	if err != nil {
		t.Fatal(err)
	}
	statements, err := Parse(text)
	if err != nil || len(statements) != 2 || statements[1].Tag != "DROP TABLE" {
		t.Errorf("%q reads as %v, %v", text, statements, err)
	}
	proof := NewInert(sjis)
	proof.Write([]byte("INSERT INTO t VALUES ('\x95\\')"))
	if proof.Inert() {
		t.Error("text that cannot be read byte by byte is said to be inert")
	}
}
