package pgbox

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestStandbyReplaysWhatItsServerWrites(t *testing.T) {
	server, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(t.Context()) })
	if _, ok := server.Binaries().Tool("pg_basebackup"); !ok {
		if _, err := StartStandby(t.Context(), server, nil); err == nil {
			t.Error("a standby was made without pg_basebackup")
		}
		return
	}
	standby, err := StartStandby(t.Context(), server, map[string]string{"max_connections": "150"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := standby.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	write, err := pgx.Connect(t.Context(), server.DSN("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close(t.Context())
	read, err := pgx.Connect(t.Context(), standby.DSN("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close(t.Context())
	if _, err := write.Exec(t.Context(), "CREATE TABLE t AS SELECT 7 AS seven"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		var there, standing bool
		if err := read.QueryRow(t.Context(), "SELECT to_regclass('t') IS NOT NULL, pg_is_in_recovery()").Scan(&there, &standing); err != nil || !standing {
			t.Fatal(err, standing)
		}
		if there {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("what was written does not arrive")
		}
	}
}
