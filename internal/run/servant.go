package run

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// servantKind is the kind of artifact of an index that serves later steps of its plan only, as that of a constraint to be does, and those that make up the index, or the
// key, of a partitioned table. Nobody has asked for it: when it is built it stays written down until the plan is done.
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

// servantSQL is the index with the schema $2 and the name $3 of the table with the OID $1, as JSON, if there is one. Key is the
// constraint of a partitioned table that is as incomplete as its index, loose are those of its partitions that are among the JSON $4 and do not hang on it yet, and
// beside is true when an index hangs on it that is not among those.
const servantSQL = `SELECT pg_catalog.json_build_object(
		'schema', t.nspname, 'table', r.relname, 'valid', i.indisvalid, 'partitioned', c.relkind OPERATOR(pg_catalog.=) 'I', 'key', own.conname,
		'used', i.indisreplident OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid OPERATOR(pg_catalog.=) i.indexrelid
				AND k.oid OPERATOR(pg_catalog.<>) COALESCE(own.oid, 0::pg_catalog.oid))
			OR EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid),
		'beside', EXISTS (SELECT FROM pg_catalog.pg_partition_tree(i.indexrelid) AS p
			JOIN pg_catalog.pg_class AS b ON b.oid OPERATOR(pg_catalog.=) p.relid
			JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) b.relnamespace
			WHERE b.oid OPERATOR(pg_catalog.<>) i.indexrelid AND NOT EXISTS (
				SELECT FROM pg_catalog.json_to_recordset($4::pg_catalog.json) AS o(schema pg_catalog.name, name pg_catalog.name)
				WHERE o.schema OPERATOR(pg_catalog.=) s.nspname AND o.name OPERATOR(pg_catalog.=) b.relname)),
		'loose', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', s.nspname, 'table', b.relname, 'key', k.conname))
			FROM pg_catalog.pg_partition_tree(own.conrelid) AS p
			JOIN pg_catalog.pg_constraint AS k ON k.conrelid OPERATOR(pg_catalog.=) p.relid AND k.contype OPERATOR(pg_catalog.=) own.contype
			JOIN pg_catalog.pg_class AS b ON b.oid OPERATOR(pg_catalog.=) k.conrelid
			JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) b.relnamespace
			JOIN pg_catalog.json_to_recordset($4::pg_catalog.json) AS o(schema pg_catalog.name, name pg_catalog.name)
				ON o.schema OPERATOR(pg_catalog.=) s.nspname AND o.name OPERATOR(pg_catalog.=) k.conname
			WHERE k.oid OPERATOR(pg_catalog.<>) own.oid AND k.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid))
	FROM pg_catalog.pg_index AS i
	JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
	JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	JOIN pg_catalog.pg_class AS r ON r.oid OPERATOR(pg_catalog.=) i.indrelid
	JOIN pg_catalog.pg_namespace AS t ON t.oid OPERATOR(pg_catalog.=) r.relnamespace
	LEFT JOIN pg_catalog.pg_constraint AS own ON own.conindid OPERATOR(pg_catalog.=) i.indexrelid AND own.contype OPERATOR(pg_catalog.<>) 'f'
		AND c.relkind OPERATOR(pg_catalog.=) 'I' AND NOT i.indisvalid
	WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND n.nspname OPERATOR(pg_catalog.=) $2 AND c.relname OPERATOR(pg_catalog.=) $3`

// servantIndex is what servantSQL answers.
type servantIndex struct {
	servantKey
	Valid, Partitioned, Used, Beside bool
	Loose                            []servantKey
}

// servantKey is a constraint and its table.
type servantKey struct{ Schema, Table, Key string }

func (k servantKey) drop() string {
	return fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", quote(k.Schema, k.Table), ident(k.Key))
}

// stays reports whether the index is no leftover any more: it does what it was built for, or somebody else's index hangs on it, which would go with it.
func (i servantIndex) stays() bool { return i.Used || i.Partitioned && (i.Valid || i.Beside) }

// removeServant drops an index whose plan has ended early, in its table's turn; of those of the same plan, which are among the leftovers, what hangs on it, too. While a
// promise needs it only an INVALID one is dropped, which is begun anew, and none is struck: it tells what belongs together if the promise is given up.
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
			switch stays := is.stays(); {
			case needed && (stays || is.Valid || is.Partitioned):
				return nil
			case stays:
				gone = true
				return nil
			case is.Partitioned:
				drop := rewrite.Step{
					SQL: "DROP INDEX " + index, Where: rewrite.AfterCommit, Budget: true, Table: rewrite.Target{OID: on.OID, Schema: is.Schema, Name: is.Table},
				}
				if is.Key != "" {
					drop.SQL = is.drop()
				}
				for _, loose := range is.Loose {
					drop.Then = append(drop.Then, loose.drop())
				}
				err = w.stepOfOurs(ctx, drop)
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
