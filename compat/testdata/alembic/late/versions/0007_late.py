"""a user orders once in a batch; before COMMIT the migration waits for the test"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade():
    op.create_index("orders_user_id_batch_key", "orders", ["user_id", "batch"], unique=True)
    connection = op.get_bind()
    connection.execute(sa.text("SELECT pg_try_advisory_xact_lock(1)"))  # tells the test that the index was answered
    while not connection.scalar(sa.text("SELECT pg_try_advisory_xact_lock(2)")):
        connection.execute(sa.text("SELECT pg_sleep(0.02)"))


def downgrade():
    op.drop_index("orders_user_id_batch_key", "orders")
