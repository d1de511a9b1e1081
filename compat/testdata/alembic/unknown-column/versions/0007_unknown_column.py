"""fails: orders have no column of that name"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade():
    op.create_table("shipments", sa.Column("order_id", sa.BigInteger, primary_key=True))
    op.create_index("orders_shipped_at_idx", "orders", ["shipped_at"])


def downgrade():
    op.drop_index("orders_shipped_at_idx", "orders")
    op.drop_table("shipments")
