package ddl

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The cases of testdata/model say what is read from a text: run with -rewrite to fill them in, and read the difference.
func TestModel(t *testing.T) {
	datadriven.Walk(t, "testdata/model", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			parse := Parse
			if d.Cmd == "nonconforming" {
				parse = ParseNonconforming
			}
			statements, err := parse(d.Input)
			if err != nil {
				return describeError(err)
			}
			var out strings.Builder
			for i, s := range statements {
				if i > 0 {
					out.WriteString("\n")
				}
				out.WriteString(render(s))
			}
			return out.String()
		})
	})
}

func describeError(err error) string {
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("syntax error at byte %d: %s\n", syntax.Position, syntax.Message)
	}
	return "error: " + err.Error() + "\n"
}

// render writes a statement with all fields that are not empty, and spans as the text that they mean.
func render(s Statement) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n", s.Tag)
	renderFields(&out, s.Text, "  ", reflect.ValueOf(s.Action))
	for _, ref := range s.Refs {
		fmt.Fprintf(&out, "  ref %s", strings.Join(strings.Fields(fmt.Sprint(dotted(ref.Name), " ", ref.Kind, " ", ref.Lock)), " "))
		if ref.Written {
			out.WriteString(" written")
		}
		if ref.Created {
			out.WriteString(" created")
		}
		out.WriteString("\n")
	}
	for _, call := range s.Calls {
		fmt.Fprintf(&out, "  call %s\n", dotted(call))
	}
	for _, cast := range s.Casts {
		fmt.Fprintf(&out, "  cast %q to %s\n", cast.Value, dotted(cast.Type.Name))
	}
	if s.NoSplice {
		fmt.Fprintf(&out, "  text %s\n", s.Text)
	}
	for _, inner := range s.Inner {
		fmt.Fprintf(&out, "  within %s", inner.Within)
		for _, flag := range []struct {
			name string
			is   bool
		}{{"later", inner.Later}, {"maybe", inner.Maybe}, {"dynamic", inner.Dynamic}} {
			if flag.is {
				fmt.Fprintf(&out, " %s", flag.name)
			}
		}
		if inner.Line > 0 {
			fmt.Fprintf(&out, " line %d", inner.Line)
		}
		fmt.Fprintf(&out, " at %d: %s\n", inner.Offset, inner.Text)
		for line := range strings.Lines(render(inner.Statement)) {
			fmt.Fprintf(&out, "    %s", line)
		}
	}
	return out.String()
}

func renderFields(out *strings.Builder, text, indent string, v reflect.Value) {
	fmt.Fprintf(out, "%s%s\n", indent, v.Type().Name())
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if field.IsZero() {
			continue
		}
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		switch value := field.Interface().(type) {
		case Span:
			fmt.Fprintf(out, "%s  %s «%s»\n", indent, name, text[value.Start:value.End])
		case []Span:
			for _, span := range value {
				fmt.Fprintf(out, "%s  %s «%s»\n", indent, name, text[span.Start:span.End])
			}
		case Name:
			fmt.Fprintf(out, "%s  %s %s\n", indent, name, dotted(value))
		case []Name:
			for _, one := range value {
				fmt.Fprintf(out, "%s  %s %s\n", indent, name, dotted(one))
			}
		case ConstraintType:
			fmt.Fprintf(out, "%s  %s %c\n", indent, name, value)
		case []AlterCommand:
			for _, command := range value {
				renderFields(out, text, indent+"  ", reflect.ValueOf(command))
			}
		case []Constraint:
			for _, constraint := range value {
				renderFields(out, text, indent+"  ", reflect.ValueOf(constraint))
			}
		case []Column:
			for _, column := range value {
				renderFields(out, text, indent+"  ", reflect.ValueOf(column))
			}
		case Constraint, Column:
			renderFields(out, text, indent+"  ", field)
		case int:
			// An offset is shown by the word that follows it.
			word, _, _ := strings.Cut(text[value:], " ")
			fmt.Fprintf(out, "%s  %s before «%s»\n", indent, name, word)
		default:
			fmt.Fprintf(out, "%s  %s %v\n", indent, name, value)
		}
	}
}

func dotted(n Name) string {
	if n.Schema == "" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}
