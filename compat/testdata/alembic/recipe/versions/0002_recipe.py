"""0002, as the refusal says to write it"""

from alembic import op

revision = "recipe"
down_revision = "0001"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("orders_user_id_created_at_idx", "orders", ["user_id", "created_at"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index("orders_user_id_created_at_idx", "orders", postgresql_concurrently=True)
