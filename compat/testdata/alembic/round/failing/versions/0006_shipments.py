"""fails: several orders have the same amount"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade():
    op.create_table("shipments", sa.Column("order_id", sa.BigInteger, primary_key=True))
    op.create_index("orders_amount_key", "orders", ["amount"], unique=True)


def downgrade():
    op.drop_index("orders_amount_key", "orders")
    op.drop_table("shipments")
