package rewrite

// Batch changes rows of one table in ranges of a key, each range a short transaction: an UPDATE or DELETE of the client's, or values for
// rows that lack them. Rows whose keys come behind the last one at the start are left alone.
type Batch struct {
	// Before is the statement up to its WHERE, with the table's own qualified name behind ONLY: UPDATE ONLY "public"."orders" AS o SET total = $1.
	Before string `json:"before"`
	// Where is the condition, "" for none.
	Where string `json:"where,omitempty"`
	// Alias is the name by which Before knows the table (its alias, or its own name), unquoted: the columns of the key are qualified by it.
	Alias string `json:"alias"`
	// Key is what the ranges follow; nil leaves it to the engine to find one.
	Key *Key `json:"key,omitempty"`
	// Last is the last key to go to, where that was looked up already; nil leaves it to the engine to look when it begins.
	Last []string `json:"last,omitempty"`
	// Root is the table that the client's statement names, where that is not the step's own and the plan is not at hand any more; nil otherwise.
	Root *Target `json:"root,omitempty"`
	// Params are the statement's parameters, $1 first.
	Params []Param `json:"params,omitempty"`
	// Encoding is what their text is in, where that was written down; "" is the session's client_encoding.
	Encoding string `json:"encoding,omitempty"`
	// Once is true when no row may be changed twice: then each batch writes down in its own transaction how far it came.
	Once bool `json:"once,omitempty"`
	// Joined is true when Where speaks of other tables than this one, so that it says nothing without them.
	Joined bool `json:"joined,omitempty"`
	// Column is what is filled, for people; "" for a client's statement.
	Column string `json:"column,omitempty"`
}

// Key is a unique index over NOT NULL columns of a table. Type and operators are SQL, qualified.
type Key struct {
	Columns []string `json:"columns"`
	Types   []string `json:"types"`
	// Less, AtMost and More are the operators of its order, the same for all columns, so that rows can be compared by them.
	Less   string `json:"less"`
	AtMost string `json:"at_most"`
	More   string `json:"more"`
}

// Param is a parameter of a statement, as on the wire.
type Param struct {
	// OID is its type; 0 lets the server find out.
	OID uint32 `json:"oid,omitempty"`
	// Format is 0 for text, 1 for binary.
	Format int16 `json:"format,omitempty"`
	// Value is nil for NULL. Text is in the session's client_encoding.
	Value []byte `json:"value"`
}
