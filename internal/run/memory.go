package run

import (
	"context"
	_ "embed"
	"strconv"

	"github.com/pgsluice/pgsluice/rewrite"
)

//go:embed memory.sql
var memorySQL string

// inMemory runs a concurrent build with as much memory as it needs for the pointers to all the table's rows, where that can be. At its end a build
// reads the whole new index; when its memory is full it stops there to sort what it has, and holds the page that it reads: whoever needs
// that page waits a quarter of a second and more.
func (w *work) inMemory(ctx context.Context, table rewrite.Target, f func() error) error {
	needed, err := w.Conn.Query(ctx, memorySQL, strconv.FormatUint(uint64(table.OID), 10))
	if err != nil {
		return err
	}
	if len(needed) == 0 {
		return f()
	}
	return w.under(ctx, map[string]string{"maintenance_work_mem": needed[0]}, f)
}
