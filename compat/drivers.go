// Package compat holds no code but tests: real migration tools, straight to Postgres and through the proxy.
package compat

// The command of golang-migrate is built with the requirements of this module. These imports, which are its own with the
// build tags postgres and pgx5, keep them there.
import (
	_ "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	_ "github.com/golang-migrate/migrate/v4/database/postgres"
	_ "github.com/golang-migrate/migrate/v4/database/stub"
	_ "github.com/golang-migrate/migrate/v4/source/file"
)
