package facts

// addNames adds what names.sql answers.
func (f *Facts) addNames(document []byte) error {
	var a struct {
		Asked []struct {
			Schema string `json:"schema"`
			Name   string `json:"name"`
			Array  bool   `json:"array"`
			OID    uint32 `json:"oid"`
		} `json:"asked"`
		Types     []*Type `json:"types"`
		Casts     []Cast  `json:"casts"`
		Functions []struct {
			Schema string `json:"schema"`
			Name   string `json:"name"`
			Function
		} `json:"functions"`
		Collations []struct {
			Schema string `json:"schema"`
			Name   string `json:"name"`
			OID    uint32 `json:"oid"`
		} `json:"collations"`
		UTC bool `json:"utc"`
	}
	if err := decodeDocument(document, &a); err != nil {
		return err
	}
	f.UTC, f.Collations = a.UTC, make(map[string]uint32, len(a.Collations))
	for _, c := range a.Collations {
		f.Collations[Key(c.Schema, c.Name)] = c.OID
	}
	f.Casts, f.Types, f.Functions = a.Casts, make(map[string]*Type, len(a.Types)), make(map[string]Function, len(a.Functions))
	byOID := make(map[uint32]*Type, len(a.Types))
	for _, t := range a.Types {
		byOID[t.OID] = t
		f.Types[TypeKey(t.Schema, t.Name, false)] = t
	}
	for _, n := range a.Asked {
		f.Types[TypeKey(n.Schema, n.Name, n.Array)] = byOID[n.OID]
	}
	for _, n := range a.Functions {
		f.Functions[Key(n.Schema, n.Name)] = n.Function
	}
	return nil
}
