package ddl

import (
	"fmt"
	"os"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(parseChild) != "" {
		parseInChild()
		return
	}
	if os.Getenv(stackChild) != "" {
		fmt.Println(CheckStack())
		return
	}
	pgtest.Main(m)
}
