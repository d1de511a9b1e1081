package rewrite

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// bulkWrite runs an UPDATE or DELETE of many rows in batches, one step for each table that has rows of it. That it may be split has been proven.
func bulkWrite(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	write, ok := stmt.Action.(ddl.Write)
	w := known.Writing
	if !ok || !known.Known || w == nil || w.OID == 0 {
		return Plan{}, ErrUnknown
	}
	text, err := ddl.ReadWriting(stmt)
	if err != nil {
		return Plan{}, err
	}
	constants, err := frozen(text, w)
	if err != nil {
		return Plan{}, err
	}
	job, err := jobOf(stmt, known)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{
		Object: write.Target.Name, Job: job,
		Notice: fmt.Sprintf("%s of %q runs in batches, each a transaction of its own with the statement_timeout for itself: others see some rows changed before the rest, "+
			"and what is done stays done", stmt.Tag, write.Target.Name),
	}
	once := write.Op == ddl.Update && !w.Repeatable(text)
	for _, m := range w.Members {
		switch {
		case m.Kind == "p", text.Only && m.OID != w.OID:
			continue
		case m.OID != w.OID && !w.Scanned[facts.Key(m.Schema, m.Name)]:
			continue // the planner has found that its bounds leave no row for the condition
		case m.OID == w.OID:
			plan.Table = Target{OID: m.OID, Schema: m.Schema, Name: m.Name}
		}
		key := w.Key(m, w.Assigned(text))
		if key == nil {
			return Plan{}, fmt.Errorf("cannot split the statement: %q has no key to go along", m.Name)
		}
		before, where, err := ddl.SplitWriting(stmt, ddl.Name{Schema: m.Schema, Name: m.Name}, constants)
		if err != nil {
			return Plan{}, err
		}
		sql := before
		if where != "" {
			sql += " WHERE " + where
		}
		plan.Steps = append(plan.Steps, Step{
			SQL: sql, Where: AfterCommit, Table: Target{OID: m.OID, Schema: m.Schema, Name: m.Name},
			Batch: &Batch{
				Before: before, Where: where, Alias: text.Alias, Once: once, Joined: text.Joined,
				Key: &Key{Columns: key.Columns, Types: key.Types, Less: key.Less, AtMost: key.AtMost, More: key.More},
			},
		})
	}
	if len(plan.Steps) == 0 {
		return Plan{}, errors.New("cannot split the statement: it changes no table that is known")
	}
	return plan, nil
}

// frozen are the constants for what would be another moment in each batch.
func frozen(text ddl.Writing, w *facts.Writing) ([]ddl.Constant, error) {
	var constants []ddl.Constant
	for i, m := range text.Moments {
		if m.Call != nil && !w.Freezable(*m.Call) {
			continue
		}
		if i >= len(w.Constants) || w.Constants[i] == "" {
			return nil, fmt.Errorf("cannot split the statement: the value of %s is not known", m.SQL)
		}
		constants = append(constants, ddl.Constant{Moment: m, SQL: w.Constants[i]})
	}
	return constants, nil
}

// jobOf tells a statement from any other: by its text, by the table that it means, and by the settings that give the text its meaning. What is frozen is
// not part of it: the job that is resumed has its own.
func jobOf(stmt ddl.Statement, known facts.Facts) (string, error) {
	settings := map[string]string{}
	for _, name := range facts.Environment() {
		settings[name] = known.Settings[name]
	}
	// What every session of the login begins with is left out: then a job is the same to versions that know of other settings.
	changed := map[string]string{}
	for name, setting := range known.Writing.Settings {
		if setting.Changed {
			changed[name] = setting.Value
		}
	}
	text, err := json.Marshal(struct {
		Table      uint32
		SQL        string
		SearchPath []string
		Settings   map[string]string
		Changed    map[string]string `json:",omitempty"`
	}{known.Writing.OID, stmt.Text, known.SearchPath, settings, changed})
	if err != nil {
		return "", fmt.Errorf("cannot tell the job from others: %w", err)
	}
	return digest(text), nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// With is the plan for a statement with parameters: they belong to its job, too.
func (p Plan) With(params []Param) (Plan, error) {
	if len(params) == 0 || p.Job == "" {
		return p, nil
	}
	text, err := json.Marshal(struct {
		Job    string
		Params []Param
	}{p.Job, params})
	if err != nil {
		return Plan{}, fmt.Errorf("cannot tell the job from others: %w", err)
	}
	p.Job = digest(text)
	steps := make([]Step, len(p.Steps))
	for i, step := range p.Steps {
		if step.Batch != nil {
			batch := *step.Batch
			batch.Params, step.Batch = params, &batch
		}
		steps[i] = step
	}
	p.Steps = steps
	return p, nil
}
