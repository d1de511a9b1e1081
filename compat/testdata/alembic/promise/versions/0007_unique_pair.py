"""a user orders once in a batch"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade():
    op.create_table("shipments", sa.Column("order_id", sa.BigInteger, primary_key=True))
    op.create_index("orders_user_id_batch_key", "orders", ["user_id", "batch"], unique=True)


def downgrade():
    op.drop_index("orders_user_id_batch_key", "orders")
    op.drop_table("shipments")
