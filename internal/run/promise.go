package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// BulkWrite is the kind of the promises that are bulk writes of a client's.
const BulkWrite = "bulk-write"

// ErrGivenUp marks a job that somebody has given up with pgsluice jobs cancel.
var ErrGivenUp = errors.New("given up")

// Promised is what a promise is to be kept by. That of a bulk write is a job of its own, whatever other statement is the same: it is done once.
func Promised(row revisions.PromiseRow) (rewrite.Plan, error) {
	steps, err := stepsOf(row)
	if err != nil {
		return rewrite.Plan{}, err
	}
	plan := rewrite.Plan{Recipe: row.Kind, Tag: row.Tag, Steps: steps}
	if row.Kind != BulkWrite || len(steps) == 0 {
		return plan, nil
	}
	plan.Job, plan.Asked = jobName(row), row.Asked
	if first := steps[0]; first.Batch != nil && first.Batch.Root != nil {
		plan.Table = *first.Batch.Root
	}
	return plan, nil
}

// JobLike is what the job of a bulk write's promise is found by.
func JobLike(row revisions.PromiseRow) revisions.Job {
	return revisions.Job{Login: row.Login, Role: row.Role, Table: row.Table, Fingerprint: fingerprint(jobName(row))}
}

// jobName tells the job of a promise from all others.
func jobName(row revisions.PromiseRow) string { return fmt.Sprintf("promise %d", row.ID) }

// fingerprint is what a job is found by in the ledger.
func fingerprint(job string) string {
	sum := sha256.Sum256([]byte(job))
	return hex.EncodeToString(sum[:])
}

// boundSettings are those that a look for a key changes.
func boundSettings() []string {
	return []string{"DateStyle", "IntervalStyle", "extra_float_digits", "statement_timeout"}
}

// Bounded fixes, in the transaction that is open, where a bulk write ends that is run behind it: at the last row that there is now. Tables without rows
// have no step any more.
func (r Runner) Bounded(ctx context.Context, plan rewrite.Plan) (rewrite.Plan, error) {
	w := &work{Runner: r, result: &Result{}}
	names := boundSettings()
	own, err := w.Conn.Query(ctx, `SELECT pg_catalog.current_setting(s.name)
		FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) AS s(name)`, encode(append(names, "client_encoding")))
	if err != nil {
		return rewrite.Plan{}, err
	}
	if len(own) != len(names)+1 {
		return rewrite.Plan{}, fmt.Errorf("the server has %d of the settings %v", len(own), names)
	}
	back := map[string]string{}
	for i, name := range names {
		back[name] = own[i]
	}
	encoding := own[len(names)]
	bounded := plan
	bounded.Steps = nil
	for _, step := range plan.Steps {
		walk, err := w.newWalk(ctx, step)
		if err != nil {
			return rewrite.Plan{}, err
		}
		answers, err := w.Conn.Pipeline(ctx,
			Call{SQL: plainForms},
			walk.lookFor("ORDER BY "+walk.order(walk.More)+" LIMIT 1", nil, nil),
			Call{
				SQL: `SELECT pg_catalog.set_config(s.name, s.value, true)
					FROM pg_catalog.json_each_text($1::pg_catalog.json) AS s(name, value)`,
				Args: []string{encode(back)},
			})
		if err != nil {
			return rewrite.Plan{}, err
		}
		if len(answers) != 3 {
			return rewrite.Plan{}, errors.New("the server skipped a statement of pgsluice")
		}
		last, err := keyIn(answers[1])
		if err != nil {
			return rewrite.Plan{}, err
		}
		if last == nil {
			continue
		}
		batch := *step.Batch
		batch.Key, batch.Last, batch.Root, batch.Encoding = &walk.Key, last, &plan.Table, encoding
		step.Batch = &batch
		bounded.Steps = append(bounded.Steps, step)
	}
	return bounded, nil
}

// keyIn reads the key from the answer to a question for one; nil if there is none.
func keyIn(answer Answer) (found bound, err error) {
	if len(answer.Rows) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(answer.Rows[0]), &found); err != nil {
		return nil, fmt.Errorf("cannot read a key: %w", err)
	}
	return found, nil
}

// promised goes on with the job of a promise that is not done yet. It reports whether there is nothing left to do.
func (j *job) promised(ctx context.Context, asked revisions.Job) (done bool, err error) {
	ended, err := j.jobs.EndedJob(ctx, asked)
	if err != nil || ended == nil {
		return false, err
	}
	if ended.State == revisions.Void {
		return false, &Failure{
			Code: queryCanceled, Message: fmt.Sprintf("pgsluice: job %d was given up: %s", ended.ID, ended.Message), Err: ErrGivenUp,
		}
	}
	j.row = *ended
	j.read()
	return true, nil
}
