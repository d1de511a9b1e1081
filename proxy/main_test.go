package proxy

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// TestMain has a server for as many tests as run at once. Beside each other run those that see of the server no more than databases of their own.
func TestMain(m *testing.M) {
	pgtest.Main(m, func(o *pgbox.Options) {
		o.Settings["max_connections"] = strconv.Itoa(100 + 30*runtime.GOMAXPROCS(0))
	})
}
