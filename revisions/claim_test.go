package revisions

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPromiseSharesTheFateOfItsTransaction(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)

	alice.run("BEGIN")
	nonce, err := NewNonce(t.Context(), alice)
	want(t, err, nil)
	first := f.record(alice)
	alice.run("SAVEPOINT s")
	f.record(alice)
	alice.run("ROLLBACK TO s")
	third := f.record(alice)
	if rows, err := f.ledger.Pending(t.Context(), nonce.Transaction()); len(rows) != 0 || err != nil {
		t.Fatalf("before COMMIT there are %v, %v", rows, err)
	}
	alice.run("COMMIT")

	rows, err := f.ledger.Pending(t.Context(), nonce.Transaction())
	want(t, err, nil)
	if len(rows) != 2 || rows[0].ID != first || rows[0].Seq != 1 || rows[1].ID != third || rows[1].Seq != 2 {
		t.Fatalf("got %+v, want promises %d and %d", rows, first, third)
	}

	alice.run("BEGIN")
	nonce, err = NewNonce(t.Context(), alice)
	want(t, err, nil)
	f.record(alice)
	alice.run("ROLLBACK")
	if rows, err := f.ledger.Pending(t.Context(), nonce.Transaction()); len(rows) != 0 || err != nil {
		t.Fatalf("after ROLLBACK there are %v, %v", rows, err)
	}
}

func TestPromiseComesBackAsItWasMade(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	group := f.alice + "_group"
	f.admin.run("CREATE ROLE "+group, "GRANT "+group+" TO "+f.alice, "CREATE TABLE app.\"T\" ()")
	t.Cleanup(func() { f.admin.runBare("DROP ROLE " + group) })
	alice.run("SET ROLE "+group, "BEGIN")
	promise := somePromise
	promise.Table = uint32(number64(t, f.admin.ask(`SELECT 'app."T"'::regclass::oid`)[0]))
	nonce, err := NewNonce(t.Context(), alice)
	want(t, err, nil)
	id, err := RecordWith(t.Context(), alice, f.ledger.Key(), nonce, promise)
	want(t, err, nil)
	alice.run("COMMIT")

	row := f.show(id)
	if !reflect.DeepEqual(row.Promise, promise) {
		t.Errorf("got  %+v\nwant %+v", row.Promise, promise)
	}
	if row.Login.Name != f.alice || row.Role.Name != group || row.TableName != `app."T"` {
		t.Errorf("got login %v, role %v, table %s", row.Login, row.Role, row.TableName)
	}
	if row.XID != nonce.XID || row.PID != nonce.PID || row.BackendStart != nonce.BackendStart || row.State != Pending {
		t.Errorf("got %+v for %+v", row, nonce)
	}
	if age := time.Since(row.Created); age < -time.Minute || age > time.Minute {
		t.Errorf("created %v", row.Created)
	}
	want(t, f.ledger.Verify(t.Context(), row), nil)

	f.admin.run(`DROP TABLE app."T"`)
	if row := f.show(id); row.TableName != "" {
		t.Errorf("the dropped table still has the name %s", row.TableName)
	}
}

func TestOwnerKeepsItsPromise(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	id, owner := f.promise(f.as(f.alice))
	stranger := f.runner("stranger", f.control)

	_, err := f.ledger.Start(ctx, id, stranger)
	want(t, err, ErrLost)
	want(t, f.ledger.Finish(ctx, id, owner, Outcome{State: Done}), ErrLost) // not begun

	row, err := f.ledger.Start(ctx, id, owner)
	want(t, err, nil)
	if row.State != Running || row.Attempts != 1 || row.Started == nil {
		t.Fatalf("got %+v", row)
	}
	_, err = f.ledger.Start(ctx, id, owner)
	want(t, err, ErrLost)
	want(t, f.ledger.Heartbeat(ctx, id, owner), nil)
	want(t, f.ledger.Heartbeat(ctx, id, stranger), ErrLost)
	want(t, f.ledger.Void(ctx, id, "it is running"), ErrLost)
	want(t, f.ledger.Finish(ctx, id, stranger, Outcome{State: Done}), ErrLost)

	want(t, f.ledger.Finish(ctx, id, owner, Outcome{State: Done}), nil)
	want(t, f.ledger.Finish(ctx, id, owner, Outcome{State: Done}), nil) // the answer may have been lost
	want(t, f.ledger.Finish(ctx, id, owner, Outcome{State: Failed}), ErrLost)
	if row := f.show(id); row.State != Done || row.Finished == nil {
		t.Fatalf("got %+v", row)
	}
	if err := f.ledger.Finish(ctx, id, owner, Outcome{State: Pending}); err == nil {
		t.Fatal("a promise was finished as pending")
	}
}

func TestFailedPromiseWaitsForAPerson(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	alice := f.as(f.alice)
	id, owner := f.promise(alice)
	_, err := f.ledger.Start(ctx, id, owner)
	want(t, err, nil)
	want(t, f.ledger.Finish(ctx, id, owner, Outcome{State: Failed, SQLState: "23505", Message: "could not create unique index"}), nil)

	failed, err := f.ledger.Failed(ctx)
	want(t, err, nil)
	if len(failed) != 1 || failed[0].ID != id || failed[0].SQLState != "23505" || failed[0].Message != "could not create unique index" {
		t.Fatalf("got %+v", failed)
	}

	want(t, f.ledger.Retry(ctx, id), nil)
	want(t, f.ledger.Retry(ctx, id), ErrLost)
	_, err = f.ledger.Start(ctx, id, owner) // whoever comes first may have it now, by a claim
	want(t, err, ErrLost)
	second := f.runner("second", f.control)
	f.claims(second, ClaimOptions{}, id)
	row, err := f.ledger.Start(ctx, id, second)
	want(t, err, nil)
	if row.Attempts != 2 {
		t.Fatalf("got %+v", row)
	}
	want(t, f.ledger.Finish(ctx, id, second, Outcome{State: Failed, SQLState: "23505"}), nil)

	want(t, f.ledger.Void(ctx, id, "dropped by hand"), nil)
	want(t, f.ledger.Void(ctx, id, "dropped by hand"), nil)
	want(t, f.ledger.Retry(ctx, id), ErrLost)
	if row := f.show(id); row.State != Void || row.Message != "dropped by hand" {
		t.Fatalf("got %+v", row)
	}
	if failed, err := f.ledger.Failed(ctx); len(failed) != 0 || err != nil {
		t.Fatalf("got %v, %v", failed, err)
	}
	if row, err := f.ledger.Show(ctx, 1<<40); row != nil || err != nil {
		t.Fatalf("got %v, %v for a promise that there never was", row, err)
	}
}

// claims claims once and compares what was got.
func (f *fixture) claims(by Runner, opts ClaimOptions, ids ...int64) {
	f.t.Helper()
	rows, err := f.ledger.Claim(f.t.Context(), by, opts)
	want(f.t, err, nil)
	var got []int64
	for _, row := range rows {
		got = append(got, row.ID)
		if row.State != Pending || row.ClaimedBy != by.Name || row.Heartbeat == nil {
			f.t.Errorf("claimed %+v", row)
		}
	}
	if !slices.Equal(got, ids) {
		f.t.Fatalf("%s claimed %v, want %v", by.Name, got, ids)
	}
}

func TestPromisePassesOnWhenItsBackendHasEnded(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	id, owner := f.promise(alice)
	second := f.runner("second", f.control)

	f.claims(second, ClaimOptions{}) // she lives
	_, err := f.ledger.Start(t.Context(), id, owner)
	want(t, err, nil)
	f.claims(second, ClaimOptions{}) // she lives, and works
	f.end(alice)
	f.claims(second, ClaimOptions{}, id)
	f.claims(f.runner("third", f.control), ClaimOptions{})

	want(t, f.ledger.Finish(t.Context(), id, owner, Outcome{State: Done}), ErrLost)
	_, err = f.ledger.Start(t.Context(), id, owner)
	want(t, err, ErrLost)
	row, err := f.ledger.Start(t.Context(), id, second)
	want(t, err, nil)
	if row.Attempts != 2 {
		t.Errorf("got %+v", row)
	}
}

// A claimer that hangs keeps its promises while its backend lives, because that may still be building.
func TestPromisePassesOnWhenItsClaimerHasEnded(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	id, _ := f.promise(alice)
	f.end(alice)

	worker := f.as(f.proxy)
	second, third := f.runner("second", worker), f.runner("third", f.control)
	f.claims(second, ClaimOptions{}, id)
	_, err := f.ledger.Start(t.Context(), id, second)
	want(t, err, nil)
	f.claims(third, ClaimOptions{Silence: time.Nanosecond}) // silent, but its backend lives
	f.end(worker)
	f.claims(third, ClaimOptions{}) // its backend has ended, but it was heard of a moment ago
	f.claims(third, ClaimOptions{Silence: time.Microsecond}, id)
	want(t, f.ledger.Heartbeat(t.Context(), id, second), ErrLost)
	want(t, f.ledger.Finish(t.Context(), id, second, Outcome{State: Done}), ErrLost)
}

// What was claimed and never begun is not stuck with a claimer that lives: whoever claims it again gets it back, and others when it has been silent.
func TestClaimThatIsNeverBegunPassesOn(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	id, owner := f.promise(f.as(f.alice))
	f.claims(owner, ClaimOptions{})
	f.claims(owner, ClaimOptions{ID: id}, id)
	f.claims(owner, ClaimOptions{ID: id}, id)
	second, third := f.runner("second", f.as(f.proxy)), f.runner("third", f.control)
	f.claims(second, ClaimOptions{ID: id}) // alice's session is there
	want(t, f.ledger.Postpone(ctx, id, owner, "", "", 0), nil)
	f.claims(second, ClaimOptions{}, id)
	f.claims(third, ClaimOptions{ID: id}) // it was heard of a moment ago
	f.claims(second, ClaimOptions{ID: id}, id)
	f.claims(third, ClaimOptions{Silence: time.Nanosecond}, id)
	_, err := f.ledger.Start(ctx, id, second)
	want(t, err, ErrLost)
	_, err = f.ledger.Start(ctx, id, third)
	want(t, err, nil)
	f.claims(second, ClaimOptions{Silence: time.Nanosecond}) // begun, it is left to a backend that lives
}

func TestPostponedPromiseIsAnyones(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	id, owner := f.promise(f.as(f.alice))
	second := f.runner("second", f.control)
	_, err := f.ledger.Start(ctx, id, owner)
	want(t, err, nil)

	want(t, f.ledger.Postpone(ctx, id, second, "55P03", "", 0), ErrLost)
	want(t, f.ledger.Postpone(ctx, id, owner, "55P03", "lock timeout", time.Hour), nil)
	want(t, f.ledger.Postpone(ctx, id, owner, "55P03", "lock timeout", time.Hour), nil) // the answer may have been lost
	if row := f.show(id); row.State != Pending || !row.Released || row.SQLState != "55P03" || row.NotBefore == nil || time.Until(*row.NotBefore) < 50*time.Minute {
		t.Fatalf("got %+v", row)
	}
	f.claims(second, ClaimOptions{}) // too early
	f.claims(second, ClaimOptions{Early: true}, id)
	want(t, f.ledger.Postpone(ctx, id, second, "55P03", "lock timeout", time.Hour), nil)
	want(t, f.ledger.Postpone(ctx, id, owner, "55P03", "lock timeout", 0), nil)
	f.claims(second, ClaimOptions{}, id) // although alice's backend lives
}

func TestClaimTakesWhatItIsAskedFor(t *testing.T) {
	f := withLedger(t)
	alice, bob := f.as(f.alice), f.as(f.proxy)
	one, _ := f.promise(alice)
	two, _ := f.promise(bob)
	three, _ := f.promise(bob)
	bobOID := f.show(two).Login.OID
	f.end(alice)
	f.end(bob)
	runner := f.runner("r", f.control)

	f.claims(runner, ClaimOptions{Kinds: []string{"batch"}})
	f.claims(runner, ClaimOptions{ID: three + 1000})
	f.claims(runner, ClaimOptions{Login: bobOID}, two) // one, for want of a limit
	f.claims(runner, ClaimOptions{Personal: []string{"batch", somePromise.Kind}, Keeper: bobOID, Limit: 9}, three)
	f.claims(runner, ClaimOptions{Kinds: []string{"batch", somePromise.Kind}, Limit: 9}, one)
	if _, err := f.ledger.Claim(t.Context(), Runner{}, ClaimOptions{}); err == nil {
		t.Error("somebody without a name has claimed")
	}
	if _, err := f.ledger.Start(t.Context(), one, Runner{}); err == nil {
		t.Error("somebody without a name has started")
	}
}

func TestTwoClaimersNeverGetTheSame(t *testing.T) {
	const promises, claimers = 60, 4
	f := withLedger(t)
	alice := f.as(f.alice)
	for range promises {
		f.promise(alice)
	}
	f.end(alice)

	claimed := make([][]int64, claimers)
	var group sync.WaitGroup
	for n := range claimers {
		control := f.as(f.proxy)
		ledger := f.open(control)
		runner := f.runner(strings.Repeat("x", n+1), control)
		group.Go(func() {
			for {
				rows, err := ledger.Claim(t.Context(), runner, ClaimOptions{Limit: 3})
				if err != nil {
					t.Error(err)
					return
				}
				if len(rows) == 0 {
					return
				}
				for _, row := range rows {
					claimed[n] = append(claimed[n], row.ID)
				}
			}
		})
	}
	group.Wait()
	all := slices.Concat(claimed...)
	slices.Sort(all)
	if len(all) != promises || len(slices.Compact(all)) != promises {
		t.Errorf("%d promises were claimed as %v", promises, claimed)
	}
}

func TestClaimPassesOverWhatIsLocked(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	one, _ := f.promise(alice)
	two, _ := f.promise(alice)
	f.end(alice)
	other := f.as(f.proxy)
	f.control.run("SET lock_timeout = '5s'") // it would wait for ever
	want(t, other.InTx(t.Context(), func(ctx context.Context) error {
		_, err := other.Query(ctx, "SELECT id FROM pgsluice.promises WHERE id = $1 FOR UPDATE", itoa(one))
		want(t, err, nil)
		f.claims(f.runner("r", f.control), ClaimOptions{Limit: 9}, two)
		return nil
	}), nil)
}

// Without pg_read_all_stats the control role does not see when a backend began. It must then leave its promises alone.
func TestClaimLeavesABackendItCannotSeeAlone(t *testing.T) {
	f := withLedger(t)
	f.admin.run("REVOKE pg_read_all_stats FROM " + f.proxy)
	alice := f.as(f.alice)
	id, _ := f.promise(alice)
	f.claims(f.runner("r", f.control), ClaimOptions{})
	f.end(alice)
	f.claims(f.runner("r", f.control), ClaimOptions{}, id)
}

func TestArtifactIsKnownUntilItIsForgotten(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	alice := f.as(f.alice)
	builder := f.runner("", alice)
	made := Artifact{
		Kind: "index", Schema: "app", Name: "größe_𝄞 \"x\"", Table: 16400, Promise: 7,
		PID: builder.PID, BackendStart: builder.BackendStart,
	}
	id, err := f.ledger.Announce(ctx, made)
	want(t, err, nil)
	if leftovers, err := f.ledger.Leftovers(ctx); len(leftovers) != 0 || err != nil {
		t.Fatalf("while its maker lives there is left over: %v, %v", leftovers, err)
	}
	f.end(alice)
	leftovers, err := f.ledger.Leftovers(ctx)
	want(t, err, nil)
	if len(leftovers) != 1 || leftovers[0].Created.IsZero() {
		t.Fatalf("got %+v", leftovers)
	}
	made.ID, made.Created = id, leftovers[0].Created
	if leftovers[0] != made {
		t.Fatalf("got %+v, want %+v", leftovers[0], made)
	}
	want(t, f.ledger.Forget(ctx, id), nil)
	want(t, f.ledger.Forget(ctx, id), nil)
	if leftovers, err := f.ledger.Leftovers(ctx); len(leftovers) != 0 || err != nil {
		t.Fatalf("got %v, %v", leftovers, err)
	}
}

func TestArtifactOfALivingMakerIsNoLeftoverEvenIfItsStartIsNotKnown(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	_, err := f.ledger.Announce(t.Context(), Artifact{Kind: "index", PID: f.runner("", alice).PID})
	want(t, err, nil)
	for _, expected := range []int{0, 1} {
		if leftovers, err := f.ledger.Leftovers(t.Context()); len(leftovers) != expected || err != nil {
			t.Fatalf("got %v, %v, want %d", leftovers, err, expected)
		}
		f.end(alice)
	}
}
