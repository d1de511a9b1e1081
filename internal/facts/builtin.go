package facts

import (
	"maps"
	"slices"
	"strings"
)

// What has the same OID in every database: pg_am.dat, pg_type.dat and pg_opclass.dat give it one below FirstGenbkiObjectId (transam.h), which initdb does not choose.
// The server is not asked about it: a look into a catalog for each column and each key is what a question takes longest for.

// accessMethods are access methods by OID.
var accessMethods = map[uint32]string{2: "heap", 403: "btree", 405: "hash", 783: "gist", 2742: "gin", 3580: "brin", 4000: "spgist"}

// plainTypes are types of pg_catalog by OID.
var plainTypes = map[uint32]string{
	16: "bool", 17: "bytea", 18: "char", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text", 26: "oid", 114: "json", 142: "xml", 600: "point", 650: "cidr",
	700: "float4", 701: "float8", 790: "money", 829: "macaddr", 869: "inet", 1042: "bpchar", 1043: "varchar", 1082: "date", 1083: "time", 1114: "timestamp",
	1184: "timestamptz", 1186: "interval", 1266: "timetz", 1560: "bit", 1562: "varbit", 1700: "numeric", 2950: "uuid", 3614: "tsvector", 3802: "jsonb",
	3904: "int4range", 3906: "numrange", 3908: "tsrange", 3910: "tstzrange", 3912: "daterange", 3926: "int8range",
	199: "_json", 1000: "_bool", 1001: "_bytea", 1005: "_int2", 1007: "_int4", 1009: "_text", 1014: "_bpchar", 1015: "_varchar", 1016: "_int8", 1021: "_float4",
	1022: "_float8", 1041: "_inet", 1115: "_timestamp", 1182: "_date", 1183: "_time", 1185: "_timestamptz", 1231: "_numeric", 2951: "_uuid", 3807: "_jsonb",
}

// plainClasses are operator classes of btree, each the default of its type and for none that is polymorphic: int4_ops, int2_ops, oid_ops, date_ops, float8_ops,
// int8_ops, numeric_ops, text_ops, timestamptz_ops, timestamp_ops. What an index of such a class stores is of the column's type.
var plainClasses = []uint32{1978, 1979, 1981, 3122, 3123, 3124, 3125, 3126, 3127, 3128}

// builtin puts what is known without asking in the place of $methods, $types and $classes: arrays of OIDs.
func builtin(part string) string {
	array := func(oids []uint32) string { return "'" + words([][]uint32{oids}) + "'::pg_catalog.oid[]" }
	return strings.NewReplacer(
		"$methods", array(slices.Sorted(maps.Keys(accessMethods))), "$types", array(slices.Sorted(maps.Keys(plainTypes))), "$classes", array(plainClasses),
	).Replace(part)
}
