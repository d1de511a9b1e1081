package revisions

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// someJob is a job of alice's on the table 16400 that the session has begun.
func (f *fixture) someJob(client session) (Job, Runner) {
	f.t.Helper()
	nonce, err := NewNonce(f.t.Context(), client)
	want(f.t, err, nil)
	job := Job{
		ID: nonce.Number, Login: Role{OID: nonce.Login}, Role: Role{OID: nonce.Role}, Table: 16400, Fingerprint: "f" + itoa(nonce.Number), Engine: 1,
		Tag: "UPDATE", Asked: `UPDATE "größe" SET …`, Work: []byte(`{"params":["c2VjcmV0"]}`),
	}
	return job, Runner{Name: "test", PID: nonce.PID, BackendStart: nonce.BackendStart}
}

// begun is a job of the session's that is running.
func (f *fixture) begun(client session) (Job, Runner) {
	f.t.Helper()
	job, by := f.someJob(client)
	want(f.t, f.ledger.BeginJob(f.t.Context(), job, by), nil)
	return job, by
}

// reach is the signed call of a checkpoint in the session's transaction.
func (f *fixture) reach(client session, r Reached) []string {
	f.t.Helper()
	nonce, err := NewNonce(f.t.Context(), client)
	want(f.t, err, nil)
	args, err := r.Signed(f.ledger.Key(), nonce)
	want(f.t, err, nil)
	return args
}

// shown reads one job.
func (f *fixture) shown(id int64) JobRow {
	f.t.Helper()
	row, err := f.ledger.ShowJob(f.t.Context(), id)
	if err != nil || row == nil {
		f.t.Fatalf("job %d: %v, %v", id, row, err)
	}
	return *row
}

func TestCheckpointsAddUp(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	job, by := f.begun(alice)
	at := ""
	for n, next := range []string{`["1"]`, `["2"]`, `["\u00fc"]`} {
		alice.run("BEGIN")
		answer := alice.ask(CheckpointSQL, f.reach(alice, Reached{Job: job.ID, Table: 16400, Previous: at, Position: next, Changed: 10, Passed: 20, Finished: n == 2})...)
		alice.run("COMMIT")
		if answer[0] != `{"wanted" : "run", "target_time" : null, "nice_ratio" : null}` {
			t.Errorf("the answer is %s", answer[0])
		}
		at = next
	}
	row := f.shown(job.ID)
	if rows, batches := row.Changed(); rows != 30 || batches != 3 || len(row.Checkpoints) != 1 || !row.Checkpoints[0].Finished || row.Checkpoints[0].Position != at ||
		row.Checkpoints[0].Passed != 60 || !row.Alive || row.Asked != job.Asked || row.Login.Name != f.alice {
		t.Errorf("%+v", row)
	}
	// A table that is finished is never begun again.
	alice.run("BEGIN")
	alice.refuses(StateElsewhere, CheckpointSQL, f.reach(alice, Reached{Job: job.ID, Table: 16400, Previous: at, Position: `["9"]`})...)
	alice.run("ROLLBACK")
	want(t, f.ledger.EndJob(t.Context(), job.ID, by, Outcome{State: Done}), nil)
	want(t, f.ledger.EndJob(t.Context(), job.ID, by, Outcome{State: Done}), nil) // the first answer may have been lost
	want(t, f.ledger.EndJob(t.Context(), job.ID, by, Outcome{State: Stopped}), ErrLost)
	if row := f.shown(job.ID); row.Work != nil || row.Asked != job.Asked || row.Finished == nil {
		t.Errorf("%+v", row)
	}
}

// Whoever does not have the job, or is not where it is, writes nothing.
func TestCheckpointIsItsRunners(t *testing.T) {
	f := withLedger(t)
	alice, other := f.as(f.alice), f.as(f.alice)
	job, by := f.begun(alice)
	call := func(s session, r Reached) {
		t.Helper()
		s.run("BEGIN")
		s.refuses(StateElsewhere, CheckpointSQL, f.reach(s, r)...)
		s.run("ROLLBACK")
	}
	first := Reached{Job: job.ID, Table: 16400, Position: `["1"]`, Changed: 1}
	call(other, first)                                                                    // another backend
	call(alice, Reached{Job: job.ID + 1000, Table: 16400, Position: `["1"]`})             // no such job
	call(alice, Reached{Job: job.ID, Table: 16400, Previous: `["0"]`, Position: `["1"]`}) // it is not there
	alice.run("BEGIN")
	alice.ask(CheckpointSQL, f.reach(alice, first)...)
	alice.run("COMMIT")
	call(alice, first) // once more
	want(t, f.ledger.EndJob(t.Context(), job.ID, by, Outcome{State: Stopped, SQLState: "57014", Message: "cancelled"}), nil)
	call(alice, Reached{Job: job.ID, Table: 16400, Previous: `["1"]`, Position: `["2"]`}) // nobody's
	if rows, batches := f.shown(job.ID).Changed(); rows != 1 || batches != 1 {
		t.Errorf("%d rows in %d batches", rows, batches)
	}
}

// What is called by hand writes nothing: not forged, changed, replayed, moved to another transaction, or with a null.
func TestCheckpointByHand(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	job, _ := f.begun(alice)
	reached := Reached{Job: job.ID, Table: 16400, Position: `["1"]`, Changed: 1, Passed: 2}
	alice.run("BEGIN")
	call := f.reach(alice, reached)
	alice.run("SAVEPOINT s")
	for at, other := range []string{
		itoa(number64(t, call[0]) + 1), "2", itoa(job.ID + 1), "16401", `["0"]`, `["2"]`, "7", "7", "true", strings.ToUpper(call[9]),
	} {
		changed := slices.Clone(call)
		changed[at] = other
		alice.refuses(StateNotSigned, CheckpointSQL, changed...)
		alice.run("ROLLBACK TO s")
		null := strings.Replace(CheckpointSQL, "$"+strconv.Itoa(at+1)+"::", "NULLIF($"+strconv.Itoa(at+1)+", $"+strconv.Itoa(at+1)+")::", 1)
		alice.refuses(StateNotSigned, null, call...)
		alice.run("ROLLBACK TO s")
	}
	moved := slices.Clone(call) // a byte from one field to the next
	moved[4], moved[5] = call[4]+call[5][:1], call[5][1:]
	alice.refuses(StateNotSigned, CheckpointSQL, moved...)
	alice.run("ROLLBACK TO s")
	promise := f.signedCall(alice) // what was signed for something else
	crossed := slices.Clone(call)
	crossed[0], crossed[9] = promise[0], promise[6]
	alice.refuses(StateNotSigned, CheckpointSQL, crossed...)
	alice.run("ROLLBACK TO s")
	call = f.reach(alice, reached)
	alice.ask(CheckpointSQL, call...)
	alice.run("SAVEPOINT s")
	alice.refuses(StateNotSigned, CheckpointSQL, call...) // replayed
	alice.run("ROLLBACK TO s", "COMMIT", "BEGIN")
	alice.refuses(StateNotSigned, CheckpointSQL, call...) // in another transaction
	alice.run("ROLLBACK")
	alice.refuses(StateNotSigned, CheckpointSQL, f.reach(alice, Reached{Job: job.ID, Table: 16400, Previous: `["1"]`, Position: `["2"]`})...) // outside of one
	if rows, batches := f.shown(job.ID).Changed(); rows != 1 || batches != 1 {
		t.Errorf("%d rows in %d batches", rows, batches)
	}
	if n := f.promises(); n != 0 {
		t.Errorf("%d promises", n)
	}
}

// One job for one statement of one login; nobody takes it from a backend that lives, and nobody else's rights come into it.
func TestJobPassesOn(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	alice := f.as(f.alice)
	job, by := f.begun(alice)
	twin := job
	twin.ID += 100
	want(t, f.ledger.BeginJob(ctx, twin, by), ErrBusy)
	found, err := f.ledger.FindJob(ctx, twin)
	want(t, err, nil)
	if found == nil || found.ID != job.ID {
		t.Fatalf("found %+v", found)
	}
	for _, other := range []func(*Job){
		func(j *Job) { j.Login.OID++ }, func(j *Job) { j.Role.OID++ }, func(j *Job) { j.Table++ }, func(j *Job) { j.Fingerprint += "x" },
	} {
		unlike := job
		other(&unlike)
		if found, err := f.ledger.FindJob(ctx, unlike); found != nil || err != nil {
			t.Errorf("found %+v, %v", found, err)
		}
	}
	twin.Engine++ // what another engine has begun is found, and left to it
	if found, err := f.ledger.FindJob(ctx, twin); found == nil || err != nil {
		t.Errorf("found %+v, %v", found, err)
	}
	next := f.as(f.alice)
	_, heir := f.someJob(next)
	_, err = f.ledger.AdoptJob(ctx, job.ID, heir)
	want(t, err, ErrBusy)
	f.end(alice)
	row, err := f.ledger.AdoptJob(ctx, job.ID, heir)
	want(t, err, nil)
	if row.PID != heir.PID || row.State != Running {
		t.Errorf("%+v", row)
	}
	_, err = f.ledger.BeatJob(ctx, job.ID, by, "")
	want(t, err, ErrLost)
	_, err = f.ledger.BeatJob(ctx, job.ID, heir, "a replica")
	want(t, err, nil)
	if row := f.shown(job.ID); row.Reason != "a replica" {
		t.Errorf("%+v", row)
	}
}

func TestJobIsSteered(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	alice := f.as(f.alice)
	job, by := f.begun(alice)
	want(t, f.ledger.SteerJob(ctx, job.ID, "pause", 500, 1.5, ""), nil)
	steering, err := f.ledger.BeatJob(ctx, job.ID, by, "")
	want(t, err, nil)
	if steering.Wanted != "pause" || *steering.TargetTime != 500 || *steering.NiceRatio != 1.5 {
		t.Errorf("%+v", steering)
	}
	want(t, f.ledger.SteerJob(ctx, job.ID, "", ConfiguredTime, SameNice, ""), nil)
	want(t, f.ledger.SteerJob(ctx, job.ID, "cancel", SameTime, ConfiguredNice, "enough"), nil)
	steering, err = f.ledger.BeatJob(ctx, job.ID, by, "")
	want(t, err, nil)
	if row := f.shown(job.ID); row.State != Running || steering.Wanted != "cancel" || steering.TargetTime != nil || steering.NiceRatio != nil {
		t.Errorf("%+v", row)
	}
	want(t, f.ledger.EndJob(ctx, job.ID, by, Outcome{State: Stopped}), nil)
	want(t, f.ledger.SteerJob(ctx, job.ID, "cancel", SameTime, SameNice, "enough"), nil)
	if row := f.shown(job.ID); row.State != Void || row.Message != "enough" || row.Work != nil {
		t.Errorf("%+v", row)
	}
	want(t, f.ledger.SteerJob(ctx, job.ID, "run", SameTime, SameNice, ""), ErrLost)
	_, err = f.ledger.AdoptJob(ctx, job.ID, by)
	want(t, err, ErrLost)
}

// A login cannot fill the ledger with jobs that it leaves.
func TestJobsOfALoginAreBounded(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	job, by := f.someJob(alice)
	for n := range mostOpenJobs {
		job.ID, job.Fingerprint = int64(1000+n), strconv.Itoa(n)
		want(t, f.ledger.BeginJob(t.Context(), job, by), nil)
	}
	job.ID, job.Fingerprint = 5000, "one more"
	if err := f.ledger.BeginJob(t.Context(), job, by); err == nil || errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "has left 100 unfinished") {
		t.Errorf("got %v", err)
	}
}

// A row that somebody with a superuser's rights has changed is not gone on with.
func TestChangedJobIsForged(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	datadriven.RunTest(t, "testdata/changed_job.txt", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		for change := range strings.Lines(d.Input) {
			f.admin.run("DELETE FROM pgsluice.jobs")
			_, by := f.begun(alice)
			f.admin.run("UPDATE pgsluice.jobs SET " + change)
			id := number64(t, f.admin.ask("SELECT id FROM pgsluice.jobs")[0])
			_, err := f.ledger.AdoptJob(context.WithoutCancel(t.Context()), id, by)
			switch {
			case errors.Is(err, ErrForged):
				out.WriteString("forged\n")
			case err != nil:
				out.WriteString("refused\n")
			default:
				out.WriteString("gone on with\n")
			}
		}
		return out.String()
	})
}
