package run

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/pgsluice/pgsluice/rewrite"
)

// recode takes the text of the parameters from the encoding that the job was begun with into that of this session.
func (j *job) recode(ctx context.Context) error {
	if !slices.ContainsFunc(j.task.Steps, func(step rewrite.Step) bool { return slices.ContainsFunc(step.Batch.Params, beyondASCII) }) {
		return nil
	}
	here, err := ask(ctx, j.Conn, "SELECT pg_catalog.current_setting('client_encoding')")
	if err != nil || here == j.task.Encoding {
		return err
	}
	for i, step := range j.task.Steps {
		batch := *step.Batch
		batch.Params = slices.Clone(batch.Params)
		for n, p := range batch.Params {
			if !beyondASCII(p) {
				continue
			}
			answers, err := j.Conn.Pipeline(ctx, Call{
				SQL:  `SELECT pg_catalog.encode(pg_catalog.convert(pg_catalog.decode($1, 'hex'), $2::pg_catalog.name, $3::pg_catalog.name), 'hex')`,
				Args: []string{hex.EncodeToString(p.Value), j.task.Encoding, here},
			})
			if err != nil {
				return err
			}
			if len(answers) != 1 || len(answers[0].Rows) != 1 {
				return errors.New("the server does not say what a parameter is in another encoding")
			}
			if batch.Params[n].Value, err = hex.DecodeString(answers[0].Rows[0]); err != nil {
				return err
			}
		}
		j.task.Steps[i].Batch = &batch
	}
	return nil
}

// beyondASCII reports whether a parameter is text, by its format or by its type, that reads differently under another encoding.
func beyondASCII(p rewrite.Param) bool {
	text := p.Format == 0 || slices.Contains([]uint32{18, 19, 25, 114, 705, 1042, 1043}, p.OID) // "char", name, text, json, unknown, bpchar, varchar
	return text && slices.ContainsFunc(p.Value, func(b byte) bool { return b >= 0x80 })
}
