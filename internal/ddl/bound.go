package ddl

import (
	"errors"
	"fmt"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// Bound is the bound of a partition: FOR VALUES … or DEFAULT.
type Bound struct {
	// Text is how the client wrote it.
	Text    string
	Default bool
	// Strategy is pg_partitioned_table.partstrat: r, l or h; 0 for DEFAULT.
	Strategy byte
	// Values are those of a list, Lower and Upper the ends of a range, in the order of the key.
	Values, Lower, Upper []BoundValue
	// Modulus and Remainder are those of a hash.
	Modulus, Remainder int
	// Unclear says why nobody but the server can tell the values: one is no constant. "" otherwise.
	Unclear string
}

// BoundValue is one value of a bound.
type BoundValue struct {
	// Text is the value's own text, a constant; it is empty for NULL and the ends of everything.
	Text string
	// Infinite is -1 for MINVALUE, 1 for MAXVALUE.
	Infinite int
	Null     bool
}

// PartitionBound is the bound that ATTACH PARTITION or CREATE TABLE … PARTITION OF gives. A statement that gives none is an error.
func PartitionBound(s Statement) (Bound, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return Bound{}, err
	}
	spec := boundSpec(root)
	if spec == nil {
		return Bound{}, fmt.Errorf("%s gives no partition bound", s.Tag)
	}
	text := newSource(&Statement{Text: s.Text, known: s.known}) // of a tree that begins with the statement
	first, last := text.bound(spec)
	bound := Bound{Default: spec.IsDefault, Modulus: int(spec.Modulus), Remainder: int(spec.Remainder)}
	if span := text.span(first, last); span.End > 0 {
		bound.Text = s.Text[span.Start:span.End]
	}
	if spec.IsDefault {
		return bound, nil
	}
	bound.Strategy = spec.Strategy[0]
	read := func(word string, nodes []*pgquery.Node) []BoundValue {
		values, err := text.boundValues(text.find(first, last, word)+1, nodes)
		if err != nil {
			bound.Unclear = err.Error()
		}
		return values
	}
	bound.Values, bound.Lower, bound.Upper = read("IN", spec.Listdatums), read("FROM", spec.Lowerdatums), read("TO", spec.Upperdatums)
	return bound, nil
}

func boundSpec(root *pgquery.Node) *pgquery.PartitionBoundSpec {
	switch n := root.GetNode().(type) {
	case *pgquery.Node_CreateStmt:
		return n.CreateStmt.Partbound
	case *pgquery.Node_AlterTableStmt:
		return n.AlterTableStmt.Cmds[0].GetAlterTableCmd().GetDef().GetPartitionCmd().GetBound()
	}
	return nil
}

// bound is the tokens of a bound, from FOR or DEFAULT to its last bracket.
func (s *source) bound(spec *pgquery.PartitionBoundSpec) (first, last int) {
	i := s.at(spec.Location)
	if spec.IsDefault {
		return i, i + 1
	}
	last = s.over(i + 1)
	if s.is(last, "TO") {
		last = s.over(last + 1)
	}
	return i - 2, last
}

// boundValues reads the values in the brackets at i.
func (s *source) boundValues(i int, nodes []*pgquery.Node) ([]BoundValue, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	var values []BoundValue
	for n, part := range s.list(i+1, s.over(i)-1) {
		span := s.span(part[0], part[1])
		value, err := boundValue(nodes[n], s.text[span.Start:span.End])
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func boundValue(node *pgquery.Node, text string) (BoundValue, error) {
	constant := node
	for constant.GetTypeCast() != nil {
		constant = constant.GetTypeCast().Arg
	}
	if fields := node.GetColumnRef().GetFields(); len(fields) == 1 {
		switch strings.ToLower(fields[0].GetString_().GetSval()) {
		case "minvalue":
			return BoundValue{Infinite: -1}, nil
		case "maxvalue":
			return BoundValue{Infinite: 1}, nil
		}
	}
	if constant.GetAConst() == nil {
		return BoundValue{}, fmt.Errorf("%s is no constant", text)
	}
	if constant.GetAConst().Isnull {
		return BoundValue{Null: true}, nil
	}
	return BoundValue{Text: text}, nil
}

// Unattached is CREATE TABLE … PARTITION OF as a table like the parent in everything that a partition takes over, but not attached to it.
// What ATTACH PARTITION brings along anyway (indexes, foreign keys, triggers, identity) is left to it.
func Unattached(s Statement) (string, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return "", err
	}
	create := root.GetCreateStmt()
	if create.GetPartbound() == nil || len(create.TableElts) > 0 {
		return "", errors.New("only CREATE TABLE ... PARTITION OF without columns or constraints of its own can be made and attached")
	}
	text := newSource(&Statement{Text: s.Text, known: s.known}) // of a tree that begins with the statement
	_, last := text.bound(create.Partbound)
	parent := text.at(create.InhRelations[0].GetRangeVar().Location)
	name := text.span(parent, text.name(parent))
	like := "(LIKE " + s.Text[name.Start:name.End] + " INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING STATISTICS EXCLUDING COMMENTS)"
	pattern, err := parseOne("CREATE TABLE t " + like)
	if err != nil {
		return "", err
	}
	return verified(s, func(root *pgquery.Node) {
		table := root.GetCreateStmt()
		table.InhRelations, table.Partbound, table.TableElts = nil, nil, pattern.GetCreateStmt().TableElts
	}, replace(text.span(parent-2, last), like))
}
