package rules

// exits are the migration tools' own ways to run a statement outside of their transaction.
const exits = `Run it outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; ` +
	`Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; ` +
	`Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; golang-migrate, Prisma and psql: alone in a file of its own. ` +
	`Or run "pgsluice install" once: then pgsluice does it right behind the COMMIT.`
