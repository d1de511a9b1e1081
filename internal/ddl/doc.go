// Package ddl turns SQL text into the small model that pgsluice decides on: what a statement does, which relations it
// names and how strongly it locks them, where in its text something can be spliced in, and what must never be written
// to a log. It is the only importer of pg_query; everything else sees plain values.
package ddl
