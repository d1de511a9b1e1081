"""orders are found by user and by number"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_index("orders_user_id_idx", "orders", ["user_id"])
    op.create_index("orders_number_key", "orders", ["number"], unique=True)


def downgrade():
    op.drop_index("orders_number_key", "orders")
    op.drop_index("orders_user_id_idx", "orders")
