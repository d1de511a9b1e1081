package proxy

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/revisions"
)

// writeOf is what a statement writes to a version table, its parameters filled in.
func (s *session) writeOf(at occasion, course *revisions.Course) revisions.Write {
	var given parametersGiven
	if at.portal != nil {
		given = at.portal.given()
	}
	return writeOf(at.Statement, course, given, s.backend.encoding)
}

func writeOf(statement ddl.Statement, course *revisions.Course, given parametersGiven, encoding ddl.Encoding) revisions.Write {
	op := revisions.Truncate
	if write, ok := statement.Action.(ddl.Write); ok {
		op = map[ddl.WriteOp]revisions.Op{ddl.Insert: revisions.Insert, ddl.Update: revisions.Update, ddl.Delete: revisions.Delete}[write.Op]
	}
	says, readable := ddl.GivenBy(statement)
	switch {
	case op == revisions.Truncate:
		return revisions.Write{Op: op, Everything: true}
	case !readable, op == revisions.Insert && says.Rows == nil:
		return revisions.Write{Op: revisions.Load}
	}
	text := func(column string, value ddl.Value) (string, bool) {
		if value.Param > 0 {
			return given.text(value.Param, course.Type(column), encoding)
		}
		return value.Text, value.Known
	}
	write := revisions.Write{Op: op, Set: map[string]string{}, Where: map[string][]string{}, Everything: says.Everything}
	columns := says.Columns
	if columns == nil {
		columns = course.Columns()
	}
	for _, values := range says.Rows {
		row := map[string]string{}
		for i, value := range values {
			if i < len(columns) {
				if known, ok := text(columns[i], value); ok {
					row[columns[i]] = known
				}
			}
		}
		write.Rows = append(write.Rows, row)
	}
	for _, set := range says.Set {
		if known, ok := text(set.Column, set.Values[0]); ok {
			write.Set[set.Column] = known
		}
	}
	for _, where := range says.Where {
		for _, value := range where.Values {
			if known, ok := text(where.Column, value); ok {
				write.Where[where.Column] = append(write.Where[where.Column], known)
			}
		}
	}
	return write
}

// parametersGiven are the parameters of a Bind.
type parametersGiven struct {
	oids    []uint32
	values  [][]byte
	formats []int16
}

// text is parameter n, from 1, as text. In binary it is read by the type that was declared for it, or that of the column.
func (p parametersGiven) text(n int, column string, encoding ddl.Encoding) (string, bool) {
	if n > len(p.values) || p.values[n-1] == nil {
		return "", false
	}
	value, format := p.values[n-1], int16(0)
	switch {
	case len(p.formats) == 1:
		format = p.formats[0]
	case n <= len(p.formats):
		format = p.formats[n-1]
	}
	if format == 0 {
		text, err := encoding.Decode(value)
		return text, err == nil
	}
	declared := uint32(0)
	if n <= len(p.oids) {
		declared = p.oids[n-1]
	}
	return fromBinary(value, familyOf(declared, column), encoding)
}

// familyOf is a family of types that have one binary form: of the type with the OID, or of a column's when that is 0.
func familyOf(declared uint32, column string) string {
	switch declared {
	case 0:
	case 16:
		return "boolean"
	case 20, 21, 23, 26:
		return "integer"
	case 18, 19, 25, 1042, 1043, 705:
		return "text"
	case 17:
		return "bytea"
	case 2950:
		return "uuid"
	default:
		return ""
	}
	word, _, _ := strings.Cut(column, "(")
	switch word {
	case "boolean", "uuid", "bytea":
		return word
	case "smallint", "integer", "bigint":
		return "integer"
	case "text", "character varying", "character", "name":
		return "text"
	}
	return ""
}

// fromBinary is a value in binary format as text; what has another form is not known.
func fromBinary(value []byte, kind string, encoding ddl.Encoding) (string, bool) {
	switch {
	case kind == "text":
		text, err := encoding.Decode(value)
		return text, err == nil
	case kind == "boolean" && len(value) == 1:
		return strconv.FormatBool(value[0] != 0), true
	case kind == "integer" && len(value) == 2:
		return strconv.FormatInt(int64(int16(binary.BigEndian.Uint16(value))), 10), true
	case kind == "integer" && len(value) == 4:
		return strconv.FormatInt(int64(int32(binary.BigEndian.Uint32(value))), 10), true
	case kind == "integer" && len(value) == 8:
		return strconv.FormatInt(int64(binary.BigEndian.Uint64(value)), 10), true
	case kind == "uuid" && len(value) == 16:
		return fmt.Sprintf("%x-%x-%x-%x-%x", value[:4], value[4:6], value[6:8], value[8:10], value[10:]), true
	case kind == "bytea":
		return `\x` + hex.EncodeToString(value), true
	}
	return "", false
}
