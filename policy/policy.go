// Package policy decides. Judge is pure: a statement, the facts about what it names, and the context it runs in go in; a verdict comes out.
package policy

import (
	"regexp"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// Action is what a rule asks for. The strictest finding wins.
type Action int

// The actions, in order of strictness. Off is only a setting of a rule, never a verdict.
const (
	Off Action = iota - 1
	Pass
	Warn
	Rewrite
	Block
)

// Context is where a statement runs.
type Context struct {
	// InTransaction is true inside a transaction block: explicit, a multi-statement simple query, or a pipeline that has already run something.
	InTransaction bool
	// Ledger is true when the pgsluice schema is installed here and this proxy may sign for it, so that work can be deferred.
	Ledger bool
	// DeferWrites is true where bulk writes in a transaction are deferred without being asked for it by a comment.
	DeferWrites bool
	// Inside is what the statement stands in; zero when it stands for itself.
	Inside Inside
	// Revision is the id of the revision that is being applied; "" is not known.
	Revision string
	// Session is what is known of the session that the statement comes from.
	Session SessionKind
	// Now is the time; zero is not known, and then no exemption counts that expires.
	Now time.Time
	// File is true when the statement stands in a file that is only read: nothing that pgsluice would do for it is done.
	File bool
	// Managed is true in such a file while the transaction is one that the migration tool has begun and will commit.
	Managed bool
	// Ahead are the statements that follow in such a file, as far as they are run with this one.
	Ahead []ddl.Statement
	// Exit is how the migration tool at hand runs a statement outside of its transaction, in a line; "" when the tool is not known.
	Exit string
}

// SessionKind is what is known of a session.
type SessionKind int

// The kinds of sessions. A Migration is a session that has named a migration tool's version table.
const (
	UnknownSession SessionKind = iota
	NoMigration
	Migration
)

// Inside is what a statement stands in: then it cannot be rewritten or deferred, and what asks for that is refused.
type Inside struct {
	// What names it: "the DO block", `function "f"`; "" for nothing.
	What string
	// Later is true when the outer statement only stores the statement: then nothing that is found is more than a warning.
	Later bool
	// Dynamic is true for the text of an EXECUTE.
	Dynamic bool

	line  int
	place ddl.Span // in the outermost statement's Text
	loose bool
	// made are the relations that the body has made before, by facts.Key.
	made map[string]*facts.Relation
}

// Override names rules that somebody allows, and why.
type Override struct {
	Rules  []string
	Reason string
	// Source is "comment", "setting", or "exemption" and where it is written.
	Source string
}

// Finding is what one rule found in one statement.
type Finding struct {
	Rule   string
	Action Action
	// Message is one line in Postgres's style: what would happen, with the user's own names.
	Message string
	// Detail holds the facts, Hint what to type instead; both may be empty.
	Detail, Hint string
	// Unknown names the fact that would decide it, when it was not known.
	Unknown string
	// OnDemand is true for a block that has a recipe which is not for everybody: the action rewrite, set for the rule, switches it on.
	OnDemand bool
	// Code is the SQLSTATE that a refusal has; "" for that of every refusal.
	Code string
	// Place is what of the statement's Text it is about: a statement that stands within it. Zero for all of it.
	Place ddl.Span
	// Recipe is the name of the recipe that a Rewrite asks for; filled in from the rule.
	Recipe string
	// Override is what took it out of force; nil for a finding in force.
	Override *Override
}

// Verdict is the judgement of one statement.
type Verdict struct {
	// Action is that of the strictest finding, Pass if there is none.
	Action   Action
	Findings []Finding
	// Locks are those that the statement takes as it is written, where something was found.
	Locks []Lock
	// Overridden are the findings that an Override took out of force.
	Overridden []Finding
	// Remarks are what is wrong with the overrides that were given, one line each, for the person who gave them.
	Remarks []string
	// Unneeded are the rules that the statement's own comment allows and that found nothing.
	Unneeded []string
}

// Rule is one hazard. It is data with one pure function.
type Rule struct {
	Name  string // the hazard, in kebab-case
	Title string
	Doc   string // what it locks or rewrites; who waits and for how long; what to do instead
	Since string
	// Default is the rule's strongest action unless the configuration says otherwise. Off: the rule runs only where the configuration
	// sets it to another action.
	Default Action
	// Recipe is the name of the recipe that its Rewrite asks for; "" is the rule's own name. Rules share one when one plan deals with the
	// hazards of all of them.
	Recipe string
	// Loss is true for a rule about what a statement takes away from others for good, as opposed to how long they wait. On a migration's
	// way back that is what is wanted, and lint does not count it there.
	Loss bool
	// Destroys is true for a rule about rows or values that are gone for good, so that nothing but a backup brings them back.
	Destroys bool
	// Cases is the content of the .sql file beside the rule.
	Cases string
	// Run reports what it finds; it may be called concurrently. It leaves the Check as it is, which goes on to the next rule.
	Run func(*Check)
}

// Check is one run of the rules over one statement.
type Check struct {
	Stmt    ddl.Statement
	Facts   facts.Facts
	Context Context
	// Small is what counts as a small table, BulkRows how many rows make a write a bulk write.
	Small    Small
	BulkRows int64
	// Conventions are what the configuration says about names and tables.
	Conventions Conventions
	// Report records a finding. Its Rule and Recipe are filled in; an Action of Pass (the zero of a Finding) stands for the rule's default, of a rule
	// that is off by default for Block.
	Report func(Finding)
}

// Small is the limit under which a table may be scanned or built on without harm. Both must hold.
type Small struct {
	Rows  int64
	Bytes int64
}

// Conventions are what a team has agreed on. The zero value has agreed on nothing.
type Conventions struct {
	// Names are what the names of new objects must match, by the kind of the object (NamedKinds). A kind that is missing is free.
	Names map[string]*regexp.Regexp
	// RequiredColumns are those that every new table must have.
	RequiredColumns []string
	// Extensions are those that a migration may create or update.
	Extensions []string
}

// NamedKinds are the kinds of objects whose names a convention can be about.
func NamedKinds() []string {
	return []string{"column", "constraint", "function", "index", "schema", "sequence", "table", "trigger", "type", "view"}
}
