package proxy

import "testing"

// Outside of transactions the end of the session tells that the rows came first.
func TestRowsComeFirst(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	w.configure(t, "tool ours public.deployments id")
	for _, sql := range []string{
		"CREATE TABLE deployments (id text PRIMARY KEY)",
		"INSERT INTO deployments VALUES ('1')",
		"CREATE TABLE a (id int PRIMARY KEY)",
		"INSERT INTO deployments VALUES ('2')",
		"BEGIN; CREATE TABLE b (id int PRIMARY KEY); COMMIT",
		"CREATE TABLE c (id int PRIMARY KEY)",
	} {
		if err := execWire(w.conn(t, "a"), sql); err != nil {
			t.Fatal(err)
		}
	}
	w.ended(t)
	const want = `ours up "1": applied
  pass [] committed: CREATE TABLE a (id int PRIMARY KEY)
ours up "2": applied
  pass [] committed: CREATE TABLE b (id int PRIMARY KEY)
  pass [] committed: CREATE TABLE c (id int PRIMARY KEY)
`
	if got := w.chronicled(t); got != want {
		t.Errorf("got:\n%s", got)
	}
}
