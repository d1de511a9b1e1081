"""orders are listed by status, newest first"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade():
    op.drop_index("orders_status_idx", "orders")
    op.create_index("orders_status_created_at_idx", "orders", ["status", "created_at"])


def downgrade():
    op.drop_index("orders_status_created_at_idx", "orders")
    op.create_index("orders_status_idx", "orders", ["status"])
