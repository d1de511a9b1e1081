package proxy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// What SQL prepares with PREPARE and runs with EXECUTE is, as a write of many rows, the statement that was prepared with the values of the EXECUTE.

// call is an EXECUTE of SQL that runs a write.
type call struct {
	ddl.Execution
	// write is the text of what it runs.
	write string
	// oids are the types of the parameters, types how they are written.
	oids  []uint32
	types []string
}

// executesWrite reports whether a statement is an EXECUTE of a write that may be of many rows, also by EXPLAIN ANALYZE.
func (s *session) executesWrite(statement ddl.Statement) bool {
	e, ok := ddl.ReadExecute(statement)
	if !ok {
		return false
	}
	p := s.prepared[key(e.Name)]
	return s.untracked || p != nil && len(p.reading.statements) == 1 && ddl.Changes(p.reading.statements[0])
}

// callOfMany reports whether a statement is an EXECUTE of a write that is not known to touch few rows. size is how long its message is.
func (s *session) callOfMany(ctx context.Context, statement ddl.Statement, size int) (bool, error) {
	if !s.executesWrite(statement) {
		return false, nil
	}
	e, _ := ddl.ReadExecute(statement)
	p := s.prepared[key(e.Name)]
	if p == nil || p.until.IsZero() {
		return p == nil || size > p.most, nil
	}
	few, err := s.stillFew(ctx, p, size)
	return !few, err
}

// preparesMany is the write that a PREPARE of SQL prepares, if it is not known to touch few rows for any parameters and for good.
func (s *session) preparesMany(ctx context.Context, statement ddl.Statement) (name string, write ddl.Statement, look shape, err error) {
	name, write = ddl.ReadPrepare(statement)
	if name == "" || !ddl.Changes(write) {
		return "", ddl.Statement{}, shape{}, nil
	}
	raw, err := s.backend.encoding.Encode(write.Text)
	if err != nil {
		return name, write, shape{}, nil
	}
	look, err = s.touchesFew(ctx, []ddl.Statement{write}, raw)
	if err == nil && look.few && look.most == 0 && look.until.IsZero() {
		return "", ddl.Statement{}, look, nil
	}
	return name, write, look, err
}

// rememberPrepare remembers what a PREPARE that has succeeded has prepared, if it may write many rows, or to a version table.
func (s *session) rememberPrepare(ctx context.Context, statement ddl.Statement) error {
	if statement.Tag != "PREPARE" || s.failed {
		return nil
	}
	name, write := ddl.ReadPrepare(statement)
	versions := s.preparesVersion(statement)
	many, _, look, err := s.preparesMany(ctx, statement)
	if isCancel(err) {
		err = nil // it is prepared, and looked at again when it is to run
	}
	if err != nil || many == "" && !versions {
		return err
	}
	raw, err := s.backend.encoding.Encode(write.Text)
	if err != nil {
		return fmt.Errorf("cannot remember what was prepared: %w", err)
	}
	p := &prepared{reading: reading{text: write.Text, statements: []ddl.Statement{write}}, raw: raw, writes: true, bySQL: true, versions: versions}
	if look.few {
		p.most, p.until = cmp.Or(look.most, math.MaxInt), look.until
	}
	s.prepared[key(name)] = p
	return nil
}

// resolved is the occasion of the write that an EXECUTE of SQL runs. What has the name now only the server knows. hidden is a statement of concern that
// is no write.
func (s *session) resolved(ctx context.Context, at occasion) (now occasion, hidden bool, err error) {
	e, _ := ddl.ReadExecute(at.Statement)
	write, oids, types, err := s.preparedNow(ctx, e.Name)
	if err != nil || !ddl.Changes(write) || len(oids) != len(e.Args) {
		// The server says what is wrong with it. A schema change has been prepared by the protocol, in mode pass.
		return at, err == nil && write.Action != nil && !ddl.Changes(write) && s.concerns(write), err
	}
	// The comments before the EXECUTE are about this very run.
	called := &call{e, write.Text, oids, types}
	if write, ok := ddl.InPlace(at.Statement, write); ok {
		at.Statement, at.called = write, called
	}
	return at, false, nil
}

// preparedNow is the statement that the server has under a name, with the types of its parameters; the zero Statement if there is none, or it
// cannot be read. The types are named as a cast means them: character would be one character, where bpchar is as many as there are.
func (s *session) preparedNow(ctx context.Context, name string) (statement ddl.Statement, oids []uint32, types []string, err error) {
	rows, err := sheltered{s.backend}.Query(ctx, `SELECT pg_catalog.json_build_object('text', p.statement, 'sql', p.from_sql,
			'oids', ARRAY(SELECT t.type::pg_catalog.oid::pg_catalog.int8 FROM pg_catalog.unnest(p.parameter_types) WITH ORDINALITY AS t(type, place) ORDER BY t.place),
			'types', ARRAY(SELECT pg_catalog.format_type(t.type::pg_catalog.oid, -1) FROM pg_catalog.unnest(p.parameter_types) WITH ORDINALITY AS t(type, place) ORDER BY t.place))
		FROM pg_catalog.pg_prepared_statement() AS p WHERE p.name OPERATOR(pg_catalog.=) $1`, name)
	if err != nil || len(rows) == 0 {
		return ddl.Statement{}, nil, nil, err
	}
	var found struct {
		Text  string   `json:"text"`
		SQL   bool     `json:"sql"`
		OIDs  []uint32 `json:"oids"`
		Types []string `json:"types"`
	}
	if err := json.Unmarshal([]byte(rows[0]), &found); err != nil {
		return ddl.Statement{}, nil, nil, fmt.Errorf("cannot read what was prepared: %w", err)
	}
	if found.SQL {
		statement, _ = ddl.PreparedAs(found.Text, name)
	} else if all, err := ddl.Parse(found.Text); err == nil && len(all) == 1 {
		statement = all[0]
	}
	return statement, found.OIDs, found.Types, nil
}

// stillPrepared is what PREPARE has prepared under a name, if the server still has it, with the types of its parameters; nil if it has something else.
func (s *session) stillPrepared(ctx context.Context, name string, p *prepared) (*prepared, error) {
	write, oids, _, err := s.preparedNow(ctx, name)
	if err != nil {
		return nil, err
	}
	if write.Text != p.reading.text {
		delete(s.prepared, key(name))
		return nil, nil
	}
	p.oids = oids
	return p, nil
}

// explained is how the server would run an EXECUTE. Arguments that would have to be evaluated are left out: that may do something, and is for the
// EXECUTE itself to do. Then it is the plan for any values: generic.
func (c *call) explained() (statement string, generic bool) {
	name := facts.QuoteIdent(c.Name)
	if len(c.Args) == 0 {
		return facts.ExplainSQL + "EXECUTE " + name, false
	}
	if c.Constant {
		return facts.ExplainSQL + "EXECUTE " + name + " (" + strings.Join(c.Args, "\n, ") + "\n)", false
	}
	none := strings.TrimSuffix(strings.Repeat("NULL, ", len(c.Args)), ", ")
	return facts.ExplainSQL + "EXECUTE " + name + " (" + none + ")", true
}

// plainArguments is what an EXECUTE of ours runs in place of the client's, to learn the values of its parameters: by then they have been evaluated, under the
// client's own settings, and what is left to do is to write them so that they read the same under any. ISO leaves the order in which a date is read as it is.
const plainArguments = `SELECT CASE WHEN pg_catalog.concat(pg_catalog.set_config('DateStyle', 'ISO', true), pg_catalog.set_config('IntervalStyle', 'iso_8601', true),
	pg_catalog.set_config('extra_float_digits', '3', true)) IS NOT NULL THEN pg_catalog.json_build_array(%s) END`

// arguments has the server evaluate the arguments of an EXECUTE, which is not run itself: by an EXECUTE of the same arguments, so that it forbids what it
// forbids there, and says what it says there.
func (s *session) arguments(ctx context.Context, c *call) ([]rewrite.Param, error) {
	if len(c.Args) == 0 {
		return nil, nil
	}
	values := make([]string, len(c.Args))
	for i := range values {
		values[i] = fmt.Sprintf("CAST($%d AS pg_catalog.text)", i+1)
	}
	own, err := s.backend.Query(ctx, `SELECT pg_catalog.json_build_object('DateStyle', pg_catalog.current_setting('DateStyle'),
		'IntervalStyle', pg_catalog.current_setting('IntervalStyle'), 'extra_float_digits', pg_catalog.current_setting('extra_float_digits'))`)
	if err != nil {
		return nil, err
	}
	sql := fmt.Sprintf(plainArguments, strings.Join(values, ", "))
	kept := s.backend.keep(sql) // it is closed with what else stays prepared
	if _, err := s.backend.prepared(kept.name, sql, c.oids); err != nil {
		return nil, err
	}
	execute := "EXECUTE " + facts.QuoteIdent(kept.name) + " (" + strings.Join(c.Args, "\n, ") + "\n)"
	var rows []string
	// A plan of its own would be made with the values in it, and some of them written before anything is set.
	if err := run.Under(ctx, s.backend, map[string]string{"plan_cache_mode": "force_generic_plan"}, func() (err error) {
		rows, err = s.backend.Query(ctx, execute)
		return err
	}); err != nil {
		return nil, err
	}
	if s.backend.piped || s.backend.TxStatus() == 'T' { // else it has ended with the EXECUTE
		if _, err := s.backend.Exec(ctx, `SELECT pg_catalog.set_config(o.name, o.value, true) FROM pg_catalog.json_each_text($1::pg_catalog.json) AS o(name, value)`,
			strings.Join(own, "")); err != nil {
			return nil, err
		}
	}
	var read []*string
	if len(rows) != 1 || json.Unmarshal([]byte(rows[0]), &read) != nil || len(read) != len(c.Args) {
		return nil, errors.New("cannot read the arguments of EXECUTE " + strconv.Quote(c.Name))
	}
	params := make([]rewrite.Param, len(read))
	for i, value := range read {
		params[i].OID = c.oids[i]
		if value == nil {
			continue
		}
		if params[i].Value, err = s.backend.encoding.Encode(*value); err != nil {
			return nil, fmt.Errorf("cannot send an argument of EXECUTE in client_encoding: %w", err)
		}
	}
	return params, nil
}
