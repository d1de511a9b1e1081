"""find the orders of a user"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_index("orders_user_id_created_at_idx", "orders", ["user_id", "created_at"])


def downgrade():
    op.drop_index("orders_user_id_created_at_idx", "orders")
