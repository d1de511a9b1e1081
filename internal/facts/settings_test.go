package facts_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// leftOut are the settings that a session can change and that a bulk write does not take along, with the reason.
var leftOut = map[string]string{
	"which plan is taken, and not what it gives": `^(enable_|jit|geqo|cpu_|parallel_|min_parallel_|max_parallel_)|_page_cost$|^(from|join)_collapse_limit$` +
		`|^(constraint_exclusion|cursor_tuple_fraction|effective_cache_size|force_parallel_mode|debug_parallel_query|plan_cache_mode|recursive_worktable_factor` +
		`|default_statistics_target|optimize_bounded_sort|synchronize_seqscans)$`,
	"how much is used for it": `work_mem$|^(hash_mem_multiplier|temp_buffers|temp_file_limit|temp_tablespaces|gin_pending_list_limit|max_stack_depth)$` +
		`|io_concurrency$|^io_combine_limit$|^backend_flush_after$|^file_copy_method$`,
	"how long it may take: that is the job's own affair": `_timeout$|^(client_connection_check_interval)$`,
	"how it is written to disk":                          `^(wal_|commit_|vacuum_)|^(synchronous_commit|default_toast_compression)$`,
	"in what transactions it runs: those are the job's":  `^(default_)?transaction_(deferrable|isolation|read_only)$`,
	"what is told of it, and to whom": `^(log_|track_|debug_print_|debug_pretty_print|trace_)|^(client_min_messages|application_name|backtrace_functions|compute_query_id` +
		`|escape_string_warning|operator_precedence_warning|md5_password_warnings|lc_messages|update_process_title|stats_fetch_consistency)$`,
	"what no UPDATE or DELETE does": `^(check_function_bodies|createrole_self_grant|event_triggers|icu_validation_level|password_encryption|scram_iterations` +
		`|lo_compat_privileges|allow_in_place_tablespaces|allow_system_table_mods|restrict_nonsystem_relation_kind)$`,
	"where code is loaded from":          `_preload_libraries$|^(dynamic_library_path|extension_control_path|extension_destdir)$`,
	"how the connection is looked after": `^tcp_|^(exit_on_error|ssl_renegotiation_limit)$`,
	"what is done with damaged data, and to find faults in the server": `^(zero_damaged_pages|ignore_checksum_failure|ignore_invalid_pages|debug_discard_caches|debug_logical_replication_streaming` +
		`|logical_replication_mode|wal_debug)$`,
}

// Every setting that a session can change is taken along by a bulk write that runs later, or cannot change what it does.
func TestEverySettingIsTakenAlongOrCannotMatter(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	taken := slices.Concat(facts.WriteSettings(), facts.Environment(), []string{"role", "search_path", "client_encoding"})
	rows, err := conn.Query(t.Context(), "SELECT name FROM pg_settings WHERE context IN ('user', 'superuser') AND strpos(name, '.') = 0 ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		seen[name] = true
		reasons := 0
		for _, names := range leftOut {
			if regexp.MustCompile(names).MatchString(name) {
				reasons++
			}
		}
		if isTaken := slices.Contains(taken, name); isTaken == (reasons > 0) {
			t.Errorf("%s: taken along %t, left out for %d reasons", name, isTaken, reasons)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range facts.WriteSettings() {
		if !seen[name] {
			t.Errorf("%s is no setting of this server", name)
		}
	}
}
