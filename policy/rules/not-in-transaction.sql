setup
CREATE TABLE users (id int PRIMARY KEY); CREATE INDEX users_id ON users (id);
CREATE TABLE events (at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (10); CREATE INDEX events_at ON events (at);
CREATE MATERIALIZED VIEW counted AS SELECT 1 AS a; CREATE UNIQUE INDEX counted_a ON counted (a)
----

begin
----

# The server refuses it when it comes to it, and all before it was in vain.
check
CREATE INDEX CONCURRENTLY users_id_2 ON users (id)
----
block
  CREATE INDEX CONCURRENTLY cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

# It can be rolled back.
check
CREATE INDEX users_id_2 ON users (id)
----
pass

check
VACUUM FULL users
----
block
  VACUUM cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check
ALTER SYSTEM SET work_mem = '1GB'
----
block
  ALTER SYSTEM cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check
CREATE DATABASE other
----
block
  CREATE DATABASE cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check
DROP DATABASE other
----
block
  DROP DATABASE cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check
DROP INDEX CONCURRENTLY users_id
----
block
  DROP INDEX CONCURRENTLY cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check
REINDEX TABLE CONCURRENTLY users
----
block
  REINDEX CONCURRENTLY cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY
----
block
  ALTER TABLE ... DETACH PARTITION CONCURRENTLY cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check
REINDEX TABLE users
----
pass

check
ANALYZE users
----
pass

# This one may.
check
REFRESH MATERIALIZED VIEW CONCURRENTLY counted
----
pass

check major=14
REINDEX TABLE events
----
block
  REINDEX cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check version=130000
REINDEX INDEX events_at
----
pass

check major=15
CLUSTER events USING events_at
----
block
  CLUSTER cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

check unknown
VACUUM
----
block
  VACUUM cannot run inside a transaction block; send it by itself, outside of the transaction
  detail: Several statements in one Query are a transaction block, too.
  hint: Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.

rollback
----

check
CREATE INDEX CONCURRENTLY users_id_2 ON users (id)
----
pass

check
VACUUM FULL users
----
pass

locks
REINDEX TABLE users
----
users ShareLock
users_id AccessExclusiveLock
users_pkey AccessExclusiveLock
