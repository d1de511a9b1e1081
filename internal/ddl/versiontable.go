package ddl

// versionTableParts are parts of the names of the tables in which migration tools keep their revisions, lower case: migration is in
// most of them, planner_ among the columns of Sqitch's, whose own names are words of every day. They count anywhere, within a word too.
var versionTableParts = [...]string{
	"migration", "alembic", "izemeta", "maversion", "a_version", "goose_db", "flyway", "changelog", "a_revisions", "planner_",
}

// versionTableAt reports whether such a part stands at i.
func versionTableAt(raw []byte, i int) bool {
	switch raw[i] | 0x20 {
	case 'm':
		return startsWith(raw[i:], "migration") || startsWith(raw[i:], "maversion")
	case 'a':
		return startsWith(raw[i:], "alembic") || startsWith(raw[i:], "a_version") || startsWith(raw[i:], "a_revisions")
	case 'i':
		return startsWith(raw[i:], "izemeta")
	case 'g':
		return startsWith(raw[i:], "goose_db")
	case 'f':
		return startsWith(raw[i:], "flyway")
	case 'c':
		return startsWith(raw[i:], "changelog")
	case 'p':
		return startsWith(raw[i:], "planner_")
	}
	return false
}

// MayNameVersionTable reports whether a name has one of the parts by which Prefilter finds a version table.
func MayNameVersionTable(name string) bool {
	for i := range len(name) {
		if versionTableAt([]byte(name), i) {
			return true
		}
	}
	return false
}
