package ddl

import (
	"os"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(parseChild) != "" {
		parseInChild()
		return
	}
	pgtest.Main(m)
}
