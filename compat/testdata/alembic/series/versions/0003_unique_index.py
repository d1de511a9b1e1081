"""an order's number is its own"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.create_index("orders_number_key", "orders", ["number"], unique=True)


def downgrade():
    op.drop_index("orders_number_key", "orders")
