package facts

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// row is a row of an answer as the server writes ROW(…)::text (record_out), read value after value. Once a value is not what was asked for, that is in err and
// what is read is zero.
type row struct {
	kind   string
	values []value
	err    error
}

type value struct {
	text string
	null bool
}

// readRow takes a row apart. Its first value is its kind.
func readRow(text string) (*row, error) {
	rest, ok := strings.CutPrefix(text, "(")
	if !ok || !strings.HasSuffix(rest, ")") {
		return nil, errors.New("no row")
	}
	r := &row{values: make([]value, 0, strings.Count(rest, ",")+1)}
	for more := true; more; {
		var v value
		var end byte
		if v, end, rest, ok = cutValue(rest); !ok {
			return nil, errors.New("a row without an end")
		}
		r.values = append(r.values, v)
		more = end == ','
	}
	if rest != "" {
		return nil, errors.New("text behind a row")
	}
	r.kind = r.text()
	return r, nil
}

// cutValue takes off the first value, and the comma or the parenthesis that ends it. What is quoted has its quotes and backslashes twice.
func cutValue(text string) (v value, end byte, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		for at := range len(text) {
			if c := text[at]; c == ',' || c == ')' {
				return value{text: text[:at], null: at == 0}, c, text[at+1:], true
			}
		}
		return v, 0, "", false
	}
	var unquoted []byte // nil while the text is as it stands
	for at := 1; at+1 < len(text); at++ {
		c := text[at]
		switch {
		case c == '"' && text[at+1] != '"' && unquoted == nil:
			return value{text: text[1:at]}, text[at+1], text[at+2:], true
		case c == '"' && text[at+1] != '"':
			return value{text: string(unquoted)}, text[at+1], text[at+2:], true
		case c == '"' || c == '\\':
			if unquoted == nil {
				unquoted = append(make([]byte, 0, 2*at+64), text[1:at]...)
			}
			at++
			c = text[at]
		}
		if unquoted != nil {
			unquoted = append(unquoted, c)
		}
	}
	return v, 0, "", false
}

func (r *row) fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("cannot decode facts: a row of kind %q: %w", r.kind, err)
	}
}

// next is the next value.
func (r *row) next() value {
	if len(r.values) == 0 {
		r.fail(errors.New("too few values"))
		return value{null: true}
	}
	v := r.values[0]
	r.values = r.values[1:]
	return v
}

// text is the next value, "" for NULL.
func (r *row) text() string { return r.next().text }

// method is the next two values, the OID of an access method and, of one that is not known, its name; "" for none.
func (r *row) method() string {
	oid, name := r.oid(), r.text()
	return cmp.Or(accessMethods[oid], name)
}

// schema is the next value, a regnamespace, without its quotes; "" for NULL.
func (r *row) schema() string {
	text := r.next().text
	if quoted, ok := strings.CutPrefix(text, `"`); ok {
		return strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `""`, `"`)
	}
	return text
}

// truth is the next value; false for NULL.
func (r *row) truth() bool { return r.next().text == "t" }

// integer is the next value; missing for NULL.
func (r *row) integer(missing int64) int64 {
	v := r.next()
	if v.null {
		return missing
	}
	number, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		r.fail(err)
	}
	return number
}

// oid is the next value; 0 for NULL.
func (r *row) oid() uint32 { return uint32(r.integer(0)) }

// float is the next value; 0 for NULL.
func (r *row) float() float64 { return r.floatOr(0) }

// floatOr is the next value; missing for NULL.
func (r *row) floatOr(missing float64) float64 {
	v := r.next()
	if v.null {
		return missing
	}
	number, err := strconv.ParseFloat(v.text, 64)
	if err != nil {
		r.fail(err)
	}
	return number
}

// texts is the next value, a JSON array of strings; nil for NULL.
func (r *row) texts() (list []string) {
	v := r.next()
	if v.null {
		return nil
	}
	if err := json.Unmarshal([]byte(v.text), &list); err != nil {
		r.fail(err)
	}
	return list
}

// numbers is the next value, an array of integers or an int2vector or oidvector; nil for NULL.
func (r *row) numbers() []int64 {
	list, err := parseNumbers(r.next().text)
	if err != nil {
		r.fail(err)
	}
	return list
}

// parseNumbers reads an array of integers, where NULL is 0, or an int2vector or oidvector.
func parseNumbers(text string) ([]int64, error) {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' || c == '{' || c == '}' })
	if len(words) == 0 {
		return nil, nil
	}
	list := make([]int64, len(words))
	for i, word := range words {
		if word == "NULL" {
			continue
		}
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, err
		}
		list[i] = number
	}
	return list, nil
}

// ints and oids are numbers of those types.
func (r *row) ints() []int { return as[int](r.numbers()) }

func (r *row) oids() []uint32 { return as[uint32](r.numbers()) }

func as[T int | uint32](numbers []int64) []T {
	if numbers == nil {
		return nil
	}
	list := make([]T, len(numbers))
	for i, n := range numbers {
		list[i] = T(n)
	}
	return list
}

// end is the first error; there is one, too, when values are left.
func (r *row) end() error {
	if len(r.values) > 0 {
		r.fail(errors.New("too many values"))
	}
	return r.err
}

// decodeBase64 is the text that a row of the server's holds.
func decodeBase64(answer string) ([]byte, error) {
	text, err := base64.StdEncoding.DecodeString(answer)
	if err != nil {
		return nil, fmt.Errorf("cannot decode facts: %w", err)
	}
	return text, nil
}
