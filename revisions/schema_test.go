package revisions

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
)

func TestSchemaHasTheVersionOfTheProgram(t *testing.T) {
	s, err := parseSchema(schemaSQL)
	want(t, err, nil)
	if len(s.versions) != Version {
		t.Errorf("schema.sql makes version %d, the program writes %d", len(s.versions), Version)
	}
	if len(s.functions) == 0 || len(s.grants) == 0 || len(s.controlRole) == 0 {
		t.Errorf("a section is empty: %+v", s)
	}
}

func TestSchemaSectionsAreKnown(t *testing.T) {
	for _, heading := range []string{"version 1", fmt.Sprintf("version %d", Version+2), "every time"} {
		text := strings.Replace(schemaSQL, "\n---- functions\n", "\n---- "+heading+"\n", 1)
		if _, err := parseSchema(text); err == nil || !strings.Contains(err.Error(), heading) {
			t.Errorf("section %q: %v", heading, err)
		}
	}
}

// A connection may have any client_encoding when we begin to speak on it.
func TestSQLIsASCII(t *testing.T) {
	for _, sql := range []string{
		schemaSQL, promiseCall, existsSQL, unsafeSQL, stateSQL, rightsSQL, ownerSQL, grantsSQL, objectsSQL, trustedSQL, keysSQL, newKeySQL,
		pruneKeysSQL, promiseSQL, pendingSQL, listSQL, claimSQL, startSQL, heartbeatSQL, finishSQL, postponeSQL, voidSQL, retrySQL,
		announceSQL, forgetSQL, leftoversSQL, attestCall, beginStatementSQL, endStatementSQL, settleSQL, versionTableSQL, learnSQL, lastEventSQL,
		abandonSQL, revisionsSQL, statementsSQL, countRevisionsSQL, pruneCall,
		jobSQL, listJobsSQL, findJobSQL, adoptJobSQL, beginJobSQL, beatJobSQL, endJobSQL, steerJobSQL,
		CheckpointSQL, changesSQL, countChangesSQL, sortCall, eventTriggersSQL, replacersSQL,
	} {
		for _, r := range sql {
			if r > unicode.MaxASCII {
				t.Errorf("%q is not ASCII in: %.200s", r, sql)
			}
		}
	}
}
