package run

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// servantKind is the kind of artifact of an index that serves later steps of its plan only, as that of a constraint to be does, and those that make up the index of
// a partitioned table. Nobody has asked for it: when it is built it stays written down until the plan is done.
const servantKind = "servant"

// servants are the indexes of that kind that a plan has built.
type servants struct{ rows []listed }

func (s *servants) add(row listed) { s.rows = append(s.rows, row) }

// serve strikes them: the plan is done.
func (s *servants) serve() {
	for _, row := range s.rows {
		row.forget()
	}
	s.rows = nil
}

// handOver leaves them to whoever resumes. What cannot be written down now is found when its maker has ended.
func (s *servants) handOver() {
	for _, row := range s.rows {
		if row.handOver != nil {
			_ = row.handOver()
		}
	}
	s.rows = nil
}

// serving runs a step that makes a servant in a transaction of ours, which when it fails leaves nothing. One of that name that is there already is not ours to be
// listed.
func (w *work) serving(ctx context.Context, step rewrite.Step, f func() error) error {
	if !step.Index.Servant {
		return f()
	}
	taken, err := w.Conn.Query(ctx, servantSQL, fmt.Sprint(step.Table.OID), step.Index.Schema, step.Index.Name, "[]")
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return f()
	}
	made, err := w.announce(ctx, step)
	if err != nil {
		return err
	}
	err = f()
	switch {
	case err == nil:
		w.servants.add(made)
	case SQLState(err) != "":
		made.forget()
	}
	return err
}

// servantSQL is the index with the schema $2 and the name $3 of the table with the OID $1, as JSON, if there is one. Beside is true when an index hangs on it that is
// not among those of the JSON $4.
const servantSQL = `SELECT pg_catalog.json_build_object(
		'schema', t.nspname, 'table', r.relname, 'valid', i.indisvalid, 'partitioned', c.relkind OPERATOR(pg_catalog.=) 'I',
		'used', i.indisreplident OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid OPERATOR(pg_catalog.=) i.indexrelid)
			OR EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid),
		'beside', EXISTS (SELECT FROM pg_catalog.pg_partition_tree(i.indexrelid) AS p
			JOIN pg_catalog.pg_class AS b ON b.oid OPERATOR(pg_catalog.=) p.relid
			JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) b.relnamespace
			WHERE b.oid OPERATOR(pg_catalog.<>) i.indexrelid AND NOT EXISTS (
				SELECT FROM pg_catalog.json_to_recordset($4::pg_catalog.json) AS o(schema pg_catalog.name, name pg_catalog.name)
				WHERE o.schema OPERATOR(pg_catalog.=) s.nspname AND o.name OPERATOR(pg_catalog.=) b.relname)))
	FROM pg_catalog.pg_index AS i
	JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	JOIN pg_catalog.pg_class AS r ON r.oid OPERATOR(pg_catalog.=) i.indrelid
	JOIN pg_catalog.pg_namespace AS t ON t.oid OPERATOR(pg_catalog.=) r.relnamespace
	WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND n.nspname OPERATOR(pg_catalog.=) $2 AND c.relname OPERATOR(pg_catalog.=) $3`

// servantIndex is what servantSQL answers.
type servantIndex struct {
	Schema, Table                    string
	Valid, Partitioned, Used, Beside bool
}

// stays reports whether the index is no leftover any more: it does what it was built for, or somebody else's index hangs on it, which would go with it.
func (i servantIndex) stays() bool { return i.Used || i.Partitioned && (i.Valid || i.Beside) }

// removeServant drops an index whose plan has ended early, in its table's turn; of those of the same plan, which are among the leftovers, what hangs on it, too. While a
// promise needs it only an INVALID one is dropped, which is begun anew.
func (r Runner) removeServant(ctx context.Context, artifact revisions.Artifact, leftovers []revisions.Artifact, needed bool) (gone bool, err error) {
	plan := []rewrite.Index{}
	for _, other := range leftovers {
		sameMaker := other.PID == artifact.PID && other.BackendStart == artifact.BackendStart
		if other.Kind == servantKind && other.Promise == artifact.Promise && (other.Promise != 0 || sameMaker) {
			plan = append(plan, rewrite.Index{Schema: other.Schema, Name: other.Name})
		}
	}
	index := quote(artifact.Schema, artifact.Name)
	on := rewrite.Target{OID: artifact.Table, Schema: artifact.Schema, Name: fmt.Sprint("with OID ", artifact.Table)}
	err = r.inTurn(ctx, on, func(w *work) error {
		for {
			found, err := w.Conn.Query(ctx, servantSQL, fmt.Sprint(artifact.Table), artifact.Schema, artifact.Name, encode(plan))
			if err != nil {
				return err
			}
			if gone = len(found) == 0; gone {
				return nil
			}
			var is servantIndex
			if err := json.Unmarshal([]byte(found[0]), &is); err != nil {
				return fmt.Errorf("cannot read the state of index %s: %w", index, err)
			}
			switch gone = is.stays(); {
			case gone, needed && (is.Valid || is.Partitioned):
				return nil
			case is.Partitioned:
				err = w.stepOfOurs(ctx, rewrite.Step{
					SQL: "DROP INDEX " + index, Where: rewrite.AfterCommit, Budget: true, Table: rewrite.Target{OID: on.OID, Schema: is.Schema, Name: is.Table},
				})
			default:
				if err = w.quiet(ctx, on); err == nil {
					err = w.dropInvalid(ctx, on, index)
				}
			}
			if err != nil {
				return err
			}
		}
	})
	return gone && err == nil, err
}
