package facts

import (
	"slices"
	"strconv"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// OIDs of types whose modifiers are read here (pg_type.dat).
const (
	bpcharOID      = 1042
	varcharOID     = 1043
	timeOID        = 1083
	timestampOID   = 1114
	timestamptzOID = 1184
	intervalOID    = 1186
	timetzOID      = 1266
	bitOID         = 1560
	varbitOID      = 1562
	numericOID     = 1700
)

const (
	varHeader    = 4      // VARHDRSZ, which the modifiers of varchar, bpchar and numeric have on top
	maxPrecision = 6      // digits of a second
	fullInterval = 0x7fff // INTERVAL_FULL_RANGE
	// anyPrecision is INTERVAL_FULL_PRECISION, of an interval without one.
	anyPrecision = 0xffff
)

// Modifier is the number that a type's modifiers, as the grammar has them, stand for, -1 for none; sure is false when only the type knows.
func (t *Type) Modifier(written []string) (mod int, sure bool) {
	if len(written) == 0 {
		return -1, true
	}
	numbers := make([]int, len(written))
	for i, text := range written {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, false
		}
		numbers[i] = n
	}
	typ := t.OID
	if t.Element != 0 {
		typ = t.Element
	}
	first, last := numbers[0], numbers[len(numbers)-1]
	switch typ {
	case varcharOID, bpcharOID:
		return first + varHeader, true
	case bitOID, varbitOID:
		return first, true
	case timeOID, timetzOID, timestampOID, timestamptzOID:
		return min(first, maxPrecision), true
	case numericOID:
		if len(numbers) == 1 {
			last = 0
		}
		return (first<<16 | last&0x7ff) + varHeader, true
	case intervalOID:
		switch {
		case len(numbers) == 2:
			return first<<16 | min(last, maxPrecision), true
		case first == fullInterval:
			return -1, true
		}
		return first<<16 | anyPrecision, true
	}
	return 0, false
}

// HasType reports whether a column is already what an ALTER COLUMN … TYPE would make of it: the type, its modifier and the collation are the same, and
// its values are put through nothing but casts to that same type. False where that is not known.
func (f Facts) HasType(column *Column, to ddl.Column) bool {
	target := f.Types[TypeKey(to.Type.Schema, to.Type.Name, to.Array)]
	if column == nil || target == nil || to.UsingOther || target.OID != column.TypeOID {
		return false
	}
	for _, name := range append(slices.Clone(to.UsingCasts), to.TypeName()) {
		typ := f.Types[TypeKey(name.Name.Schema, name.Name.Name, name.Array)]
		if typ == nil || typ.OID != column.TypeOID {
			return false
		}
		if mod, sure := typ.Modifier(name.Modifiers); !sure || mod != column.TypeMod {
			return false
		}
	}
	collation := target.Collation
	if to.Collate.Name != "" {
		collation = f.Collations[Key(to.Collate.Schema, to.Collate.Name)]
	}
	return collation == column.Collation
}

// Widens reports whether every value under one modifier is one under the other, as the planner knows it (the support functions of varchar,
// numeric, varbit, and of the types of times).
func Widens(typ uint32, from, to int) bool {
	switch typ {
	case varcharOID, varbitOID:
		return from >= 0 && from <= to
	case numericOID:
		return from >= 0 && (from-varHeader)&0x7ff == (to-varHeader)&0x7ff && (from-varHeader)>>16 <= (to-varHeader)>>16
	case timeOID, timetzOID, timestampOID, timestamptzOID:
		return to >= maxPrecision || from >= 0 && from <= to
	case intervalOID:
		least, precision := leastField(from), intervalPrecision(from)
		return leastField(to) <= least && (least > 0 || intervalPrecision(to) >= maxPrecision || intervalPrecision(to) >= precision)
	}
	return false
}

func intervalPrecision(mod int) int {
	if mod < 0 {
		return anyPrecision
	}
	return mod & anyPrecision
}

// leastField is the smallest unit of an interval: 0 is the second, 5 the year (intervaltypmodleastfield). The bits are those of timestamp.h.
func leastField(mod int) int {
	const month, year, day, hour, minute, second = 1 << 1, 1 << 2, 1 << 3, 1 << 10, 1 << 11, 1 << 12
	fields := mod >> 16 & fullInterval
	if mod < 0 || fields == fullInterval {
		return 0
	}
	for rank, bit := range []int{second, minute, hour, day, month, year} {
		if fields&bit != 0 {
			return rank
		}
	}
	return 0
}
