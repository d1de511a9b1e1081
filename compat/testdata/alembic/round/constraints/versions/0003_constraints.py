"""an order belongs to a user, and nobody is paid for ordering"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.create_foreign_key("orders_user_id_fkey", "orders", "users", ["user_id"], ["id"])
    op.create_check_constraint("orders_amount_check", "orders", "amount >= 0")
    op.alter_column("orders", "user_id", nullable=False)


def downgrade():
    op.alter_column("orders", "user_id", nullable=True)
    op.drop_constraint("orders_amount_check", "orders")
    op.drop_constraint("orders_user_id_fkey", "orders")
