package proxy

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

// replicating matches what a walsender takes for a command of its own by the first word (repl_scanner.l, replication_scanner_is_replication_command); it never
// runs SQL for it. BASE_BACKUP and its like are words of no statement.
var replicating = regexp.MustCompile(`(?i)^\s*(IDENTIFY_SYSTEM|BASE_BACKUP|(START|CREATE|DROP|ALTER|READ)_REPLICATION(_SLOT)?|TIMELINE_HISTORY|UPLOAD_MANIFEST)\b`)

// unasked deals with a Query of a connection for logical replication. The server takes no question of ours there, so a schema change is judged by its text alone,
// and runs as it is or not at all; then nothing else of the Query runs either.
func (s *session) unasked(ctx context.Context, r reading, size int) error {
	if replicating.MatchString(r.text) {
		return s.passOn(size)
	}
	type judgement struct {
		at      occasion
		verdict policy.Verdict
	}
	var judged []judgement
	for _, statement := range r.statements {
		if s.backend.TxStatus() == 'E' || !s.concerns(statement) {
			continue
		}
		at := occasion{Statement: statement, inTransaction: len(r.statements) > 1 || s.backend.TxStatus() != 'I'}
		began := time.Now()
		verdict := s.judge(ctx, at, facts.Facts{})
		s.countVerdict(at, verdict, time.Since(began))
		if s.options.Mode != Enforce || verdict.Action < policy.Rewrite {
			judged = append(judged, judgement{at, verdict})
			continue
		}
		refusal := s.voice.refusal(verdict)
		if verdict.Action == policy.Rewrite {
			refusal = s.voice.report(codeRefused, fmt.Sprintf("pgsluice: %s cannot be made safe on a connection for replication; send it on another one [%s]",
				at.Tag, verdict.Recipe()), "", "")
		}
		record := s.begin(ctx, at, facts.Facts{}, verdict)
		s.link.client.take(size)
		if err := record.finish(ctx, s.fail(ctx, refusal)); err != nil {
			return err
		}
		return s.voice.say(&pgproto3.ReadyForQuery{TxStatus: s.backend.TxStatus()})
	}
	for _, j := range judged {
		record := s.begin(ctx, j.at, facts.Facts{}, j.verdict)
		record.entry.Outcome = "observed"
		if err := record.finish(ctx, s.warn(j.verdict)); err != nil {
			return err
		}
	}
	return s.passOn(size)
}
