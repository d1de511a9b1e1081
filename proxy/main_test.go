package proxy

import (
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
