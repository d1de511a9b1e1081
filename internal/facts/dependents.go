package facts

import "context"

// triggerEvents are the bits of pg_trigger.tgtype that stand for an event; the first bit is FOR EACH ROW.
var triggerEvents = []struct {
	bit    int
	letter string
}{{1 << 2, "i"}, {1 << 3, "d"}, {1 << 4, "u"}, {1 << 5, "t"}}

func (t *Trigger) setBits(bits int) {
	t.Row = bits&1 != 0
	for _, event := range triggerEvents {
		if bits&event.bit != 0 {
			t.Events += event.letter
		}
	}
}

// addDependents adds what dependents.sql answers.
func (f *Facts) addDependents(document []byte, wanted []Wanted) error {
	var a struct {
		Relations []struct {
			OID uint32 `json:"oid"`
			Depends
			Triggers []struct {
				Trigger
				Bits int `json:"bits"`
			} `json:"triggers"`
		} `json:"relations"`
		Types []struct {
			OID   uint32     `json:"oid"`
			Users []TypeUser `json:"users"`
		} `json:"types"`
		Functions []struct {
			Schema  string  `json:"schema"`
			Name    string  `json:"name"`
			Routine Routine `json:"routine"`
		} `json:"functions"`
		Schemas []*Schema `json:"schemas"`
	}
	if err := decodeDocument(document, &a); err != nil {
		return err
	}
	for _, found := range a.Relations {
		depends := found.Depends
		for _, t := range found.Triggers {
			t.setBits(t.Bits)
			depends.Triggers = append(depends.Triggers, t.Trigger)
		}
		for _, r := range f.Relations {
			if r != nil && r.OID == found.OID {
				r.Depends = &depends
			}
		}
	}
	for _, found := range a.Types {
		for _, t := range f.Types {
			if t != nil && t.OID == found.OID {
				t.Users = found.Users
			}
		}
	}
	for _, found := range a.Functions {
		key := Key(found.Schema, found.Name)
		function := f.Functions[key]
		function.Routines = append(function.Routines, found.Routine)
		f.Functions[key] = function
	}
	f.Schemas = map[string]*Schema{}
	for _, w := range wanted {
		for _, name := range w.Schemas {
			f.Schemas[name] = nil
		}
	}
	for _, s := range a.Schemas {
		f.Schemas[s.Name] = s
	}
	return nil
}

// askDependents asks what else depends on the relations. It takes one more question.
func (q *question) askDependents(ctx context.Context, server Querier) error {
	parameter, err := encode(q.wanted)
	if err != nil {
		return err
	}
	answer, err := askOne(ctx, server, dependentsSQL, parameter)
	if err != nil {
		return err
	}
	document, err := decodeBase64(answer)
	if err != nil {
		return err
	}
	return q.known.addDependents(document, q.wanted)
}
