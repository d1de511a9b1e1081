"""The environment that alembic init writes, on the database in DATABASE_URL.

"alembic -x transaction_per_migration=yes" runs each revision in a transaction of its own instead of all in one.
"""

import os

import sqlalchemy
from alembic import context

try:
    import psycopg2  # noqa: F401
except ImportError:
    raise SystemExit("alembic's Python has no psycopg2: apt-get install python3-psycopg2")

engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"], poolclass=sqlalchemy.pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        transaction_per_migration="transaction_per_migration" in context.get_x_argument(as_dictionary=True),
    )
    with context.begin_transaction():
        context.run_migrations()
