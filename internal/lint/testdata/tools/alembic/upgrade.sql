BEGIN;

-- Running upgrade  -> 0001aaaa

CREATE TABLE users (
    id SERIAL NOT NULL, 
    name VARCHAR(50), 
    PRIMARY KEY (id)
);

INSERT INTO alembic_version (version_num) VALUES ('0001aaaa') RETURNING alembic_version.version_num;

-- Running upgrade 0001aaaa -> 0002bbbb

CREATE INDEX ix_users_name ON users (name);

CREATE INDEX ix_orders_total ON orders (total);

COMMIT;

CREATE INDEX CONCURRENTLY ix_orders_state ON orders (state);

BEGIN;

UPDATE alembic_version SET version_num='0002bbbb' WHERE alembic_version.version_num = '0001aaaa';

COMMIT;
