package revisions

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed sql/trusted.sql
var trustedSQL string

// Report says what Install found and did.
type Report struct {
	// From is the version that was there, 0 if none; To is the version that is there now.
	From, To int
	// ControlRole is "" when only superusers may work with the ledger.
	ControlRole string
	// Trusted lists everyone who can read or write the ledger past its functions, most powerful first.
	Trusted []Trusted
	// Notes are sentences about this database that whoever installs should read.
	Notes []string
}

// Trusted is a role that the ledger cannot be defended against.
type Trusted struct {
	Role string `json:"role"`
	Why  string `json:"why"`
}

// ErrPublished means that a publication FOR ALL TABLES has subscribers: one that lacks the tables of the ledger stops
// replicating at the first row of them. Install it in the subscribers' databases first, then set InstallOptions.Published.
var ErrPublished = errors.New("the ledger would be published")

func (i *installation) report(ctx context.Context, before state, control controlRole) (Report, error) {
	trusted, err := queryRows[Trusted](ctx, i.conn, trustedSQL, control.oid())
	if err != nil {
		return Report{}, fmt.Errorf("cannot list who is trusted: %w", err)
	}
	report := Report{From: before.Version, To: len(i.schema.versions), ControlRole: control.Name, Trusted: trusted, Notes: []string{
		"Dump data with pg_dump -N pgsluice: only a superuser's pg_dump may read the ledger, and then the dump holds its key. pg_dump -s needs no option.",
	}}
	publications, err := i.publications(ctx)
	if err != nil {
		return Report{}, err
	}
	if len(publications) > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf(
			"Publication %s publishes the ledger too, with its key: whoever subscribes needs the ledger and is to be trusted.",
			strings.Join(publications, ", ")))
	}
	return report, nil
}

func (i *installation) publications(ctx context.Context) ([]string, error) {
	publications, err := i.conn.Query(ctx, `
		SELECT pg_catalog.quote_ident(p.pubname)
		FROM pg_catalog.pg_publication AS p
		WHERE p.puballtables
		ORDER BY p.pubname`)
	if err != nil {
		return nil, fmt.Errorf("cannot list the publications: %w", err)
	}
	return publications, nil
}

// checkPublications returns ErrPublished if somebody receives every new table of this database.
func (i *installation) checkPublications(ctx context.Context) error {
	publications, err := i.publications(ctx)
	if err != nil || len(publications) == 0 {
		return err
	}
	slots, err := i.conn.Query(ctx, `
		SELECT pg_catalog.quote_ident(s.slot_name)
		FROM pg_catalog.pg_replication_slots AS s
		WHERE s.database OPERATOR(pg_catalog.=) pg_catalog.current_database()
			AND s.plugin OPERATOR(pg_catalog.=) 'pgoutput'
		ORDER BY s.slot_name`)
	if err != nil {
		return fmt.Errorf("cannot list the replication slots: %w", err)
	}
	if len(slots) == 0 {
		return nil
	}
	return fmt.Errorf("%w by %s (slots: %s): subscribers without the ledger would stop; install it in their databases first, then here with --published",
		ErrPublished, strings.Join(publications, ", "), strings.Join(slots, ", "))
}
