package lint

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// Sent is how a tool sends the statements of a part, which decides what is inside a transaction.
type Sent int

const (
	// Singly is each statement in a message of its own, in no transaction but what the file itself begins.
	Singly Sent = iota
	// Together is all in one message, which the server runs as one transaction unless it is a single statement.
	Together
	// Inside is in a transaction that the tool begins and commits.
	Inside
)

// Part is what a tool runs in one go: a whole file, its up or its down part, a changeset.
type Part struct {
	// Name is what the report calls it: "up", "changeset joe:1"; "" for a whole file.
	Name string
	// Down is true for the way back.
	Down bool
	Sent Sent
	// Text is that of the file from Offset on, byte by byte, with what is none of its SQL blanked out.
	Text   string
	Offset int
}

// Tool is a migration tool, as far as it decides how a file is run.
type Tool struct {
	Name string
	// Runs says how, in a line.
	Runs string
	// Exit is how the tool runs a statement outside of its transaction; "" when there is no need or no way.
	Exit string

	claims func(*Source) bool                        // the file says so itself, by annotation or name; nil: never
	parts  func(*Source) ([]Part, error)             // nil: one part, Sent as sent
	sent   Sent                                      // of a whole file
	down   func(*Source) bool                        // the whole file is the way back; nil: never
	script bool                                      // psql runs it: its commands and the data of COPY are no SQL
	decide func(part Part, all []ddl.Statement) Sent // after a look at the statements; nil: as the part says
}

// Tools are those that are known, in the order in which they are asked whether a file is theirs: what a file says comes before how it
// is named. The last is psql, which takes what nobody claims.
func Tools() []*Tool {
	return []*Tool{
		{Name: "liquibase", Runs: "each changeset in a transaction of its own", Exit: `in Liquibase: "runInTransaction:false" behind --changeset`,
			claims: contains(`(?im)^\s*--\s*liquibase\s+formatted\s+sql`), parts: changesets},
		{Name: "goose", Runs: "the Up or the Down part in a transaction", Exit: `in goose: "-- +goose NO TRANSACTION" at the top, and nothing else in the file`,
			claims: contains(`(?im)^--\s*\+goose\s`), parts: goose},
		{Name: "sql-migrate", Runs: "the Up or the Down part in a transaction", Exit: `in sql-migrate: "notransaction" behind "-- +migrate Up" or "-- +migrate Down"`,
			claims: contains(`(?im)^--\s*\+migrate\s`), parts: sqlMigrate},
		{Name: "dbmate", Runs: "the up or the down part in a transaction", Exit: `in dbmate: "transaction:false" behind "-- migrate:up" or "-- migrate:down", and nothing else in that part`,
			claims: contains(`(?m)^--\s*migrate:(up|down)`), parts: dbmate},
		{Name: "tern", Runs: "the part above or below the line in a transaction", Exit: `in tern: "---- tern: disable-tx ----"`,
			claims: contains(`(?m)^---- (create above / drop below|tern: disable-tx) ----`), parts: tern},
		{Name: "node-pg-migrate", Runs: "all pending migrations in one transaction", Exit: `in node-pg-migrate: "pgm.noTransaction()" in a JavaScript migration`,
			claims: contains(`(?im)^\s*--[\s-]*(up|down)\s+migration`), parts: nodePGMigrate},
		{Name: "graphile-migrate", Runs: "the file in a transaction", Exit: `in graphile-migrate: "--! no-transaction", and nothing else in the file`,
			claims: contains(`(?m)^--! `), parts: unless(`(?m)^--! no-transaction`, Together, Inside)},
		{Name: "atlas", Runs: "each file in a transaction", Exit: `in Atlas: "-- atlas:txmode none" at the top`,
			claims: contains(`(?m)^-- atlas:`), parts: unless(`(?m)^-- atlas:txmode none`, Singly, Inside)},
		{Name: "drizzle", Runs: "all pending migrations in one transaction", Exit: "there is no way in drizzle: by hand, before its migration",
			claims: contains(`(?m)--> statement-breakpoint`), sent: Inside},
		{Name: "alembic", Runs: "what alembic --sql writes, by psql", Exit: `in Alembic: "with op.get_context().autocommit_block():"`,
			claims: contains(`(?m)^-- Running (upgrade|downgrade) `), down: contains(`(?m)^-- Running downgrade `), script: true},
		{Name: "django", Runs: "what sqlmigrate writes, as it stands", Exit: `in Django: "atomic = False" and AddIndexConcurrently`,
			claims: contains(`(?m)^--\r?\n-- [A-Z(].*\n--\r?$`), script: true},
		{Name: "sqitch", Runs: "by psql, as it stands", Exit: "in Sqitch: leave out BEGIN and COMMIT",
			claims: contains(`(?m)\A-- (Deploy|Revert|Verify) \S+`), down: contains(`(?m)\A-- Revert `), script: true},
		{Name: "sqlx", Runs: "the file in a transaction", Exit: `in sqlx: "-- no-transaction" in the first line`,
			claims: contains(`\A-- no-transaction`), parts: unless(`\A-- no-transaction`, Together, Inside), down: named(`\.down\.sql$`)},
		{Name: "golang-migrate", Runs: "the file in one message: a transaction, unless it is a single statement",
			Exit:   "in golang-migrate: alone in a file of its own",
			claims: named(`^[0-9]+_.*\.(up|down)\.sql$`), sent: Together, down: named(`\.down\.sql$`)},
		{Name: "postgrator", Runs: "the file in one message: a transaction, unless it is a single statement",
			Exit:   "in postgrator: alone in a file of its own",
			claims: named(`^[0-9]+\.(do|undo)(\..*)?\.sql$`), sent: Together, down: named(`^[0-9]+\.undo\.`)},
		{Name: "flyway", Runs: "the file in a transaction", Exit: `in Flyway: "executeInTransaction=false" in the file's .conf`,
			claims: named(`^([VU][0-9][0-9._]*|R)__.*\.sql$`), parts: flyway, decide: flywayDecides},
		{Name: "prisma", Runs: "the file in one message: a transaction, unless it is a single statement",
			Exit: "in Prisma: alone in a migration of its own", claims: placed(`(^|/)[0-9]{14}_[^/]*/migration\.sql$`), sent: Together},
		{Name: "diesel", Runs: "the file in a transaction", Exit: `in Diesel: "run_in_transaction = false" in metadata.toml`,
			claims: named(`^(up|down)\.sql$`), parts: diesel},
		{Name: "db-migrate", Runs: "the file in a transaction", Exit: "in db-migrate: --non-transactional",
			claims: named(`^[0-9]+-.*-(up|down)\.sql$`), sent: Inside, down: named(`-down\.sql$`)},
		{Name: "rails", Runs: "structure.sql by psql, other files in a migration's transaction", Exit: `in Rails: "disable_ddl_transaction!"`,
			claims: named(`structure\.sql$`), parts: rails, script: true},
		{Name: "knex", Runs: "the file in a migration's transaction", Exit: `in knex: "exports.config = { transaction: false }"`, sent: Inside},
		{Name: "psql", Runs: "each statement by itself, unless the file says BEGIN", script: true},
	}
}

// ToolNamed finds a tool; nil if there is none of that name.
func ToolNamed(name string) *Tool {
	all := Tools()
	if i := slices.IndexFunc(all, func(t *Tool) bool { return t.Name == name }); i >= 0 {
		return all[i]
	}
	return nil
}

// toolOf is the first tool that claims a file.
func toolOf(all []*Tool, s *Source) *Tool {
	for _, t := range all {
		if t.claims != nil && t.claims(s) {
			return t
		}
	}
	return all[len(all)-1]
}

func contains(expression string) func(*Source) bool {
	re := regexp.MustCompile(expression)
	return func(s *Source) bool { return re.MatchString(s.Text) }
}

func named(expression string) func(*Source) bool {
	re := regexp.MustCompile(expression)
	return func(s *Source) bool { return re.MatchString(path.Base(s.Path)) }
}

func placed(expression string) func(*Source) bool {
	re := regexp.MustCompile(expression)
	return func(s *Source) bool { return re.MatchString(s.Path) }
}

// partsOf are the parts of a file as the tool runs it.
func (t *Tool) partsOf(s *Source) ([]Part, error) {
	parts := []Part{{Sent: t.sent, Text: s.Text}}
	if t.parts != nil {
		var err error
		if parts, err = t.parts(s); err != nil {
			return nil, err
		}
	}
	if t.down != nil && t.down(s) {
		for i := range parts {
			parts[i].Down = true
		}
	}
	for i := range parts {
		if parts[i].Down && parts[i].Name == "" {
			parts[i].Name = "down"
		}
	}
	return parts, nil
}

// unless is one part that is sent in one way where the file has a mark, else in the other.
func unless(mark string, marked, otherwise Sent) func(*Source) ([]Part, error) {
	has := contains(mark)
	return func(s *Source) ([]Part, error) {
		part := Part{Sent: otherwise, Text: s.Text}
		if has(s) {
			part.Sent = marked
		}
		return []Part{part}, nil
	}
}

// sections cuts a file at its lines that match. begin is given each such line's submatches and says what part begins there; nil goes on
// with the part before.
func sections(s *Source, mark string, begin func(match []string) *Part) ([]Part, error) {
	var parts []Part
	for _, at := range regexp.MustCompile(mark).FindAllStringSubmatchIndex(s.Text, -1) {
		match := make([]string, len(at)/2)
		for i := range match {
			if at[2*i] >= 0 {
				match[i] = s.Text[at[2*i]:at[2*i+1]]
			}
		}
		part := begin(match)
		if part == nil {
			continue
		}
		if len(parts) > 0 {
			last := &parts[len(parts)-1]
			last.Text = s.Text[last.Offset:at[0]]
		}
		part.Offset = at[0]
		parts = append(parts, *part)
	}
	if len(parts) == 0 {
		return nil, errors.New("has none of the lines that begin a part")
	}
	last := &parts[len(parts)-1]
	last.Text = s.Text[last.Offset:]
	return parts, nil
}

func goose(s *Source) ([]Part, error) {
	sent := Inside
	if contains(`(?im)^--\s*\+goose\s+NO\s+TRANSACTION`)(s) {
		sent = Singly
	}
	return sections(s, `(?im)^--\s*\+goose\s+(up|down)\b.*`, func(match []string) *Part {
		return direction(match[1], sent)
	})
}

func direction(word string, sent Sent) *Part {
	word = strings.ToLower(word)
	return &Part{Name: word, Down: word == "down", Sent: sent}
}

func sqlMigrate(s *Source) ([]Part, error) {
	return sections(s, `(?im)^--\s*\+migrate\s+(up|down)\b(.*)`, func(match []string) *Part {
		return direction(match[1], withOption(match[2], "notransaction", Singly))
	})
}

func dbmate(s *Source) ([]Part, error) {
	return sections(s, `(?im)^--\s*migrate:(up|down)\b(.*)`, func(match []string) *Part {
		return direction(match[1], withOption(match[2], "transaction:false", Together))
	})
}

// withOption is how a part is sent whose line has, or has not, the option that takes it out of the transaction.
func withOption(line, option string, otherwise Sent) Sent {
	if slices.Contains(strings.Fields(strings.ToLower(line)), option) {
		return otherwise
	}
	return Inside
}

func nodePGMigrate(s *Source) ([]Part, error) {
	return sections(s, `(?im)^\s*--[\s-]*(up|down)\s+migration.*`, func(match []string) *Part { return direction(match[1], Inside) })
}

// tern has the way forth above a line and the way back below it.
func tern(s *Source) ([]Part, error) {
	parts := []Part{{Name: "up", Text: s.Text}}
	if line := regexp.MustCompile(`(?m)^---- create above / drop below ----`).FindStringIndex(s.Text); line != nil {
		parts[0].Text = s.Text[:line[0]]
		parts = append(parts, Part{Name: "down", Down: true, Text: s.Text[line[0]:], Offset: line[0]})
	}
	for i := range parts {
		parts[i].Sent = Inside
		if strings.Contains(parts[i].Text, "---- tern: disable-tx ----") {
			parts[i].Sent = Together
		}
	}
	return parts, nil
}

func flyway(s *Source) ([]Part, error) {
	part := Part{Sent: Inside, Text: s.Text, Down: path.Base(s.Path)[0] == 'U'}
	if regexp.MustCompile(`(?im)^\s*executeInTransaction\s*=\s*false`).MatchString(s.Beside[".conf"]) {
		part.Sent = Singly
	}
	return []Part{part}, nil
}

// flywayDecides leaves the transaction out, as Flyway does, for a file of nothing but what cannot be in one.
func flywayDecides(part Part, all []ddl.Statement) Sent {
	if len(all) == 0 || slices.ContainsFunc(all, func(s ddl.Statement) bool { return !ddl.Alone(s) }) {
		return part.Sent
	}
	return Singly
}

func diesel(s *Source) ([]Part, error) {
	part := Part{Sent: Inside, Text: s.Text, Down: path.Base(s.Path) == "down.sql"}
	if regexp.MustCompile(`(?m)^\s*run_in_transaction\s*=\s*false`).MatchString(s.Beside["metadata.toml"]) {
		part.Sent = Together
	}
	return []Part{part}, nil
}

// rails loads a dump with psql; any other file is the text of an execute in a migration.
func rails(s *Source) ([]Part, error) {
	part := Part{Sent: Inside, Text: s.Text}
	if strings.HasSuffix(path.Base(s.Path), "structure.sql") {
		part.Sent = Singly
	}
	return []Part{part}, nil
}
