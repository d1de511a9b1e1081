"""notes instead of faxes"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade():
    op.drop_column("orders", "fax")
    op.alter_column("orders", "status", new_column_name="state")
    op.add_column("orders", sa.Column("note", sa.Text))


def downgrade():
    op.drop_column("orders", "note")
    op.alter_column("orders", "state", new_column_name="status")
    op.add_column("orders", sa.Column("fax", sa.Text))
