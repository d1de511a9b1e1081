package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// deed is what a person does to jobs with a command, as the audit trail is told of it: before it is done, and what became of each job. The lines are a chain
// of the command's own, in the file or syslog that the configuration names; the ledger of the database knows its last one.
type deed struct {
	trail    *revisions.Audit // nil where the configuration names none
	file     io.Closer
	name     string // of this process
	database string
	ledger   *revisions.Ledger
	errors   io.Writer
}

// openDeed opens the trail and writes down what is about to be done. Where the trail is required, and cannot be written, it must not be. The caller closes it.
func openDeed(ctx context.Context, cmd *cobra.Command, flags *ledgerFlags, conn run.Conn, ledger *revisions.Ledger, ids []int64, detail map[string]string) (*deed, error) {
	config, _, err := flags.config()
	if err != nil {
		return nil, err
	}
	d := &deed{name: processName(), ledger: ledger, errors: cmd.ErrOrStderr()}
	names, err := conn.Query(ctx, "SELECT pg_catalog.current_database()")
	if err != nil {
		return nil, fmt.Errorf("cannot ask for the database: %w", err)
	}
	d.database = names[0]
	err = d.open(config.Audit.File)
	if err == nil && d.trail != nil {
		detail["process"], detail["version"], detail["person"], detail["database"], detail["jobs"] = d.name, buildVersion(), person(), d.database, listed(ids)
		_, err = d.trail.Write(revisions.Entry{Kind: revisions.Admin, Time: time.Now(), Event: strings.TrimPrefix(cmd.CommandPath(), "pgsluice "), Detail: detail})
	}
	if err == nil {
		return d, nil
	}
	if config.Audit.Required {
		d.close(ctx)
		return nil, &failure{
			err:  fmt.Errorf("nothing was done, because the audit trail cannot be written: %w", err),
			hint: "run this where the proxy runs, as its user, who can write to audit.file; or set audit.required to false",
		}
	}
	fmt.Fprintf(d.errors, "warning: this is not in the audit trail: %v\n", err)
	return d, nil
}

// open opens the file or syslog. Standard output and the log of a proxy are not the command's to write to. Nor does it make a file: that would be its own, and
// not the proxy's to write to.
func (d *deed) open(target string) error {
	switch {
	case target == "" || target == "-":
		return nil
	case strings.HasPrefix(target, syslogPrefix):
		syslog, err := openSyslog(target)
		if err != nil {
			return err
		}
		d.trail, d.file = revisions.NewAudit(syslog), syslog
		return nil
	}
	file, err := appendTo(target, 0)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w (a proxy makes it with its next line; SIGHUP has it write one)", err)
	}
	if err != nil {
		return err
	}
	d.trail, d.file = revisions.NewAudit(file), file
	return nil
}

// listed are the ids of jobs in one text.
func listed(ids []int64) string {
	if len(ids) == 0 {
		return "all"
	}
	var list []string
	for _, id := range ids {
		list = append(list, strconv.FormatInt(id, 10))
	}
	return strings.Join(list, " ")
}

// tell writes down how a job stands now.
func (d *deed) tell(e revisions.Entry) {
	if d.trail == nil {
		return
	}
	if _, err := d.trail.Write(e); err != nil {
		fmt.Fprintf(d.errors, "warning: what became of job %d is not in the audit trail: %v\n", e.Job, err)
	}
}

// tellOf is tell for a job that was steered.
func (d *deed) tellOf(ctx context.Context, id int64) {
	if d.trail == nil {
		return
	}
	e := revisions.Entry{Kind: revisions.Work, Time: time.Now(), Job: id, AuditSession: &revisions.AuditSession{Database: d.database}}
	if j, err := findJob(ctx, d.ledger, id); err == nil {
		e.Tag, e.Table, e.State, e.User, e.Role = j.Tag, j.Table, j.shownState(), j.Login, j.Role
	}
	d.tell(e)
}

// close has the last line anchored.
func (d *deed) close(ctx context.Context) {
	if d.trail == nil {
		return
	}
	head, _, some, err := d.trail.Unanchored()
	if err == nil && some {
		err = d.ledger.Anchor(context.WithoutCancel(ctx), d.name, head)
	}
	if err = errors.Join(err, d.file.Close()); err != nil {
		fmt.Fprintf(d.errors, "warning: the lines of this command in the audit trail are not vouched for by the ledger: %v\n", err)
	}
}

// keptEntry tells what has become of a promise.
func keptEntry(database string, kept run.Kept) revisions.Entry {
	row := kept.Promise
	e := revisions.Entry{
		Kind: revisions.Work, Time: time.Now(), Job: row.ID, Tag: row.Tag, Table: row.TableName, State: string(kept.State),
		AuditSession: &revisions.AuditSession{User: row.Login.Name, Role: row.Role.Name, Database: database}, SQLState: run.SQLState(kept.Err),
	}
	for _, sql := range kept.Result.Ran {
		e.Ran = append(e.Ran, ddl.RedactText(sql, nil))
	}
	if kept.Err != nil {
		e.Error = run.Recordable(kept.Err, kept.Err.Error())
	}
	return e
}
