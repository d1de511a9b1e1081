"""nobody is paid for ordering"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade():
    op.create_check_constraint("orders_amount_check", "orders", "amount >= 0")


def downgrade():
    op.drop_constraint("orders_amount_check", "orders", type_="check")
