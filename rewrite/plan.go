// Package rewrite plans: it turns a statement that would hurt into the steps that do the same without hurting.
// It is pure and knows nothing of rules but the names its recipes share with them.
package rewrite

import "github.com/pgsluice/pgsluice/internal/facts"

// Plan is what is run in place of a statement.
type Plan struct {
	// Recipe is the name of the recipe; "" when the plan is the statement itself.
	Recipe string `json:"recipe,omitempty"`
	// Tag is the command tag that the client is answered.
	Tag string `json:"tag"`
	// Object is the name of the index or constraint that the plan is about; "" if it is about none.
	Object string `json:"object,omitempty"`
	// Table is the relation that the plan is about when that is not the first step's; zero otherwise.
	Table Target `json:"table"`
	// NotNull are the columns that are NOT NULL, and Fills those whose rows have their values, only when the plan is done; Primary is true when the
	// table gets its primary key then. They say what may not follow the plan while it is promised.
	NotNull []string `json:"not_null,omitempty"`
	Fills   []string `json:"fills,omitempty"`
	Primary bool     `json:"primary,omitempty"`
	// Job tells a bulk write of the client's from any other: the same statement with the same parameters has the same, so that what is left of an
	// unfinished one can be done. Each step has a Batch then. "" for any other plan.
	Job string `json:"job,omitempty"`
	// Asked is the client's statement as it may be shown, without secrets; "" where nobody has said.
	Asked string `json:"asked,omitempty"`
	// Notice tells the client in one line what is done in place of its statement; "" for nothing to say.
	Notice string `json:"notice,omitempty"`
	// Probe is a DO block that makes the server report, without touching the table, what it would report for the statement:
	// "" when there is nothing to probe. It is run before anything is promised.
	Probe string `json:"probe,omitempty"`
	// Unprobed says why the server cannot be asked beforehand, when it should be: such a plan must not be promised. "" otherwise.
	Unprobed string `json:"unprobed,omitempty"`
	// Undo are statements that, in one transaction, take back whatever the steps have done so far, for a plan that fails outside of a
	// transaction; none when that cannot be taken back.
	Undo []string `json:"undo,omitempty"`
	// DataChecks are run before anything is promised. They take no lock stronger than ACCESS SHARE.
	DataChecks []DataCheck `json:"data_checks,omitempty"`
	Steps      []Step      `json:"steps"`
}

// DataCheck is a query that returns a line of text for data that would break the plan, and no row if all is well.
type DataCheck struct {
	SQL string `json:"sql"`
	// Code and Message are the error that the statement itself would have met (23505, 23503, 23514); the line is its detail.
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Where says where a step may run.
type Where string

// A step runs in place (inside the client's transaction, or on the spot), or after commit in a transaction of its own, or
// alone: outside any transaction and alone in its message.
const (
	InPlace     Where = "in place"
	AfterCommit Where = "after commit"
	Alone       Where = "alone"
)

// Step is one statement of a plan, or a few that belong together.
type Step struct {
	SQL string `json:"sql"`
	// Then are statements that run behind SQL in the same transaction: all of them take effect, or none. A step that runs alone has none.
	Then  []string `json:"then,omitempty"`
	Where Where    `json:"where"`
	// Client is true when SQL is the client's own text, so that its own spelling reaches the server.
	Client bool `json:"client,omitempty"`
	// Table is the relation whose maintenance lock is taken (one step of SHARE UPDATE EXCLUSIVE or stronger at a time) and whose
	// identity is checked before the step. Zero for none.
	Table Target `json:"table"`
	// Others are further relations whose identity is checked (a foreign key's parent).
	Others []Target `json:"others,omitempty"`
	// Budget is true when the step takes a lock that blocks readers or writers, and therefore runs under the short lock_timeout with retries.
	Budget bool `json:"budget,omitempty"`
	// Index is the index that the step makes or drops; zero for none. Alone it does so concurrently: with lock_timeout 0, watched.
	Index Index `json:"index"`
	// Rebuild is true for a REINDEX CONCURRENTLY of one or all indexes of the table: like a build, and what it leaves when it fails
	// is removed. Of what earlier ones left nothing stays either.
	Rebuild bool `json:"rebuild,omitempty"`
	// Left is a catalog question that is asked when the step is done: a row says in a line what is still missing, and the plan fails with it.
	// "" for nothing to ask.
	Left string `json:"left,omitempty"`
	// Helpers are the constraints of ours that the step makes or removes.
	Helpers []Helper `json:"helpers,omitempty"`
	// Batch is set for a step that changes rows that exist in batches, after commit: SQL says then what they do together. nil for any other step.
	Batch *Batch `json:"batch,omitempty"`
	// Done is a catalog question, one boolean, that is true when the step needs no more doing. "" when it cannot be asked.
	Done string `json:"done,omitempty"`
}

// Statements are the statements of the step, in order.
func (s Step) Statements() []string { return append([]string{s.SQL}, s.Then...) }

// Helper is a constraint that serves a plan and is not in what the client asked for. Made outside of a client's transaction it is
// listed as an artifact first, and removed when the plan fails.
type Helper struct {
	// Name is the constraint's, on the step's table; HelperPrefix is how it begins.
	Name string `json:"name"`
	// Drop is true when the step removes it.
	Drop bool `json:"drop,omitempty"`
}

// HelperPrefix begins the name of every helper, so that nothing else is ever taken for one.
const HelperPrefix = facts.HelperPrefix

// Target is a relation by identity.
type Target struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Columns are the columns that the step depends on, by attribute number.
	Columns map[int]string `json:"columns,omitempty"`
}

// Index is an index under construction or removal.
type Index struct {
	Schema string `json:"schema,omitempty"`
	Name   string `json:"name,omitempty"`
	// Columns are the keys, in order, of an index to build by which every row can be found; an expression is "".
	Columns []string `json:"columns,omitempty"`
	// OID is known for an index that is dropped.
	OID uint32 `json:"oid,omitempty"`
	// Drop is true when the step removes it.
	Drop bool `json:"drop,omitempty"`
	// Plain is true for an index to build whose keys are columns and that has no predicate: then the server evaluates nothing while it
	// reads the statement, and another login may build it in the client's place.
	Plain bool `json:"plain,omitempty"`
	// Servant is true for an index to make that serves later steps only, of which one makes a constraint of it, or attaches it or to it: nobody has asked for it before the
	// plan is done.
	Servant bool `json:"servant,omitempty"`
	// Key is what identifies the definition: a valid index of this name and pg_get_indexdef text counts as done. "" if unknown.
	Key string `json:"key,omitempty"`
}
