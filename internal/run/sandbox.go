package run

import (
	"context"
	_ "embed"
	"fmt"
	"maps"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

var (
	//go:embed foreign_code.sql
	foreignCodeSQL string
	//go:embed after_effects.sql
	afterEffectsSQL string
)

// stand carries out a promise in its client's place, on a connection of another login, often a powerful one. The steps are signed, but
// the functions, operators and domains that they set off are the client's, and whatever runs under SET ROLE can say RESET ROLE.
// So each kind of step runs where the server itself keeps such code in, and a step for which there is no such place is not run.
type stand struct {
	runner Runner
	row    revisions.PromiseRow
	// environment is the promise's, without its role.
	environment map[string]string
}

// leftToLogin is a step that only the login itself may run.
func (s stand) leftToLogin(why string) error {
	return &Failure{
		Code:    insufficientPrivilege,
		Message: fmt.Sprintf("pgsluice: promise %d stays pending for login %s: %s", s.row.ID, s.row.Login.Name, why),
		Hint:    fmt.Sprintf("Run pgsluice jobs resume %d --dsn DSN --config FILE: DSN with the credentials of %s, FILE with control.dsn.", s.row.ID, s.row.Login.Name),
		Err:     errLeftToLogin,
	}
}

// step runs one step in the client's place.
func (s stand) step(ctx context.Context, step rewrite.Step) (Result, error) {
	index := step.Where == rewrite.Alone && step.Index.Name != ""
	switch {
	case index && !step.Index.Drop && step.Index.OID == 0 && !step.Index.Plain:
		return Result{}, s.leftToLogin("its index has an expression or a predicate, which the server reads before it restricts what runs")
	case step.Batch != nil:
		return Result{}, s.leftToLogin("it writes rows, and nothing keeps code of the client's in that COMMIT runs: deferred triggers")
	case !index && step.Where != rewrite.AfterCommit:
		return Result{}, s.leftToLogin("nothing keeps code of the client's in while this runs: " + brief(step.SQL))
	}
	if err := s.mayStandIn(ctx, index); err != nil {
		return Result{}, err
	}
	if !index {
		return s.runner.run(ctx, []rewrite.Step{step}, s.sandboxed)
	}
	// The server evaluates expressions of an index as the table's owner, in a security-restricted operation.
	settings := map[string]string{"role": s.row.Role.Name}
	maps.Copy(settings, s.environment)
	var result Result
	err := Under(ctx, s.runner.Conn, settings, func() (err error) {
		result, err = s.runner.RunStep(ctx, step)
		return err
	})
	return result, err
}

// mayStandIn checks what neither SET ROLE nor a function can hold.
func (s stand) mayStandIn(ctx context.Context, index bool) error {
	member, err := ask(ctx, s.runner.Conn, `SELECT pg_catalog.pg_has_role($1::pg_catalog.name, $2::pg_catalog.name, 'MEMBER')`,
		s.row.Login.Name, s.row.Role.Name)
	if err != nil {
		return err
	}
	if member != "t" {
		return s.leftToLogin("it is no longer a member of role " + s.row.Role.Name)
	}
	err = Under(ctx, s.runner.Conn, map[string]string{"role": s.row.Role.Name}, func() error { return nil })
	if SQLState(err) == insufficientPrivilege {
		return s.leftToLogin("this login may not be role " + s.row.Role.Name)
	}
	if err != nil {
		return err
	}
	code, err := s.runner.Conn.Query(ctx, foreignCodeSQL, fmt.Sprint(index))
	if err != nil {
		return err
	}
	if len(code) > 0 {
		return s.leftToLogin(code[0])
	}
	counted, err := ask(ctx, s.runner.Conn, `SELECT pg_catalog.current_setting('track_counts')`)
	if err != nil {
		return err
	}
	if counted != "on" {
		return s.leftToLogin("track_counts is off, so that nobody can tell what a transaction has changed")
	}
	return nil
}

// sandboxed runs a statement, in the transaction that is open, in a SECURITY DEFINER function of the promise's role: there RESET ROLE is
// refused. The function exists in this transaction only.
//
// Two things get out of such a function: triggers that are deferred to COMMIT, and cursors WITH HOLD, which COMMIT reads to their end.
// VALIDATE and ALTER change no rows and open no cursors, so whatever did is rolled back.
func (s stand) sandboxed(ctx context.Context, sql string) (tag string, err error) {
	conn := s.runner.Conn
	before, err := ask(ctx, conn, afterEffectsSQL)
	if err != nil {
		return "", err
	}
	for _, ddl := range []string{
		`CREATE FUNCTION pg_temp.pgsluice_step(pg_catalog.text, pg_catalog.json) RETURNS pg_catalog.void
			LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
			BEGIN
				PERFORM pg_catalog.set_config(s.name, s.value, true) FROM pg_catalog.json_each_text($2) AS s(name, value);
				EXECUTE $1;
			END $$`,
		`ALTER FUNCTION pg_temp.pgsluice_step(pg_catalog.text, pg_catalog.json) OWNER TO ` + ident(s.row.Role.Name),
	} {
		_, err := conn.Exec(ctx, ddl)
		if SQLState(err) == insufficientPrivilege {
			return "", s.leftToLogin("this login cannot make a function of role " + s.row.Role.Name + " in a temporary schema: " + err.Error())
		}
		if err != nil {
			return "", err
		}
	}
	if _, err := conn.Exec(ctx, `SELECT pg_temp.pgsluice_step($1, $2)`, sql, encode(s.environment)); err != nil {
		return "", err
	}
	after, err := ask(ctx, conn, afterEffectsSQL)
	if err != nil {
		return "", err
	}
	if after != before {
		return "", s.leftToLogin("code that it runs leaves something to be done at COMMIT (" + after + " instead of " + before + ")")
	}
	_, err = conn.Exec(ctx, `DROP FUNCTION pg_temp.pgsluice_step(pg_catalog.text, pg_catalog.json)`)
	return s.row.Tag, err
}
