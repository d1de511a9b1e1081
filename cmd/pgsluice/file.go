package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseFile reads YAML into assignments, one for each value. It knows YAML and no keys; name is the file's, for messages.
//
// Why not the library's own strict decoder: it stops at the first error, has no position for the errors of our own types,
// takes 1.5 for the integer 1 and 5 for five nanoseconds, and prints the lines around an error, a password among them.
// Its parser is used as it is.
func parseFile(name string, text []byte) ([]assignment, error) {
	f := yamlFile{name: name}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		var syntax yaml.Error
		if !errors.As(err, &syntax) {
			return nil, configErrors{{origin: name, message: "is not YAML: " + err.Error()}}
		}
		return nil, configErrors{{origin: f.at(syntax.GetToken()), message: syntax.GetMessage()}}
	}
	for i, document := range file.Docs {
		if i > 0 {
			f.fail(document.GetToken(), "", "a configuration is one YAML document")
			break
		}
		if document.Body != nil {
			f.section("", document.Body)
		}
	}
	return f.assignments, f.errors.orNil()
}

type yamlFile struct {
	name        string
	assignments []assignment
	errors      configErrors
}

func (f *yamlFile) at(t *token.Token) string {
	return fmt.Sprintf("%s:%d:%d", f.name, t.Position.Line, t.Position.Column)
}

func (f *yamlFile) fail(t *token.Token, path, message string) {
	f.errors = append(f.errors, &keyError{key: path, origin: f.at(t), message: message})
}

// section collects the values of the mapping node under path.
func (f *yamlFile) section(path string, node ast.Node) {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		f.fail(node.GetToken(), path, "must be KEY: VALUE lines")
		return
	}
	for _, entry := range mapping.Values {
		at := entry.Key.GetToken()
		name := at.Value
		if strings.Contains(name, ".") {
			name = strconv.Quote(name) // sections are nested, lock.timeout is no key of a file
		}
		if path != "" {
			name = path + "." + name
		}
		f.value(name, at, entry.Value)
	}
}

func (f *yamlFile) value(path string, at *token.Token, node ast.Node) {
	a := assignment{path: path, origin: f.at(at)}
	switch n := node.(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			f.section(path, n)
			return
		}
	case *ast.SequenceNode:
		list, ok := f.list(path, n)
		if !ok {
			return
		}
		a.value = list
	default:
		text, ok := scalar(node)
		if !ok {
			f.fail(node.GetToken(), path, "must be a plain value; anchors, aliases and tags are not read")
			return
		}
		a.value = text
	}
	f.assignments = append(f.assignments, a)
}

// list returns the items of a sequence; nil for an empty one.
func (f *yamlFile) list(path string, node *ast.SequenceNode) (items []string, ok bool) {
	for _, item := range node.Values {
		text, ok := scalar(item)
		if !ok {
			f.fail(item.GetToken(), path, "must be a list of plain values")
			return nil, false
		}
		items = append(items, text)
	}
	return items, true
}

// scalar is the text of a plain, quoted or block value.
func scalar(node ast.Node) (text string, ok bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
