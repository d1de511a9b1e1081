"""an order belongs to a user"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade():
    op.create_foreign_key("orders_user_id_fkey", "orders", "users", ["user_id"], ["id"])


def downgrade():
    op.drop_constraint("orders_user_id_fkey", "orders", type_="foreignkey")
