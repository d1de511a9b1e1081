"""an order without a note is noted by its number"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade():
    with op.get_context().autocommit_block():
        changed = op.get_bind().execute(sa.text("UPDATE orders SET note = 'order ' || number WHERE note IS NULL"))
        print(changed.rowcount, "rows")


def downgrade():
    with op.get_context().autocommit_block():
        op.execute("UPDATE orders SET note = NULL WHERE note IS NOT NULL")
