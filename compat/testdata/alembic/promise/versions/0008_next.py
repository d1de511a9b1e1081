"""shipments are sent some day"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade():
    op.add_column("shipments", sa.Column("sent_at", sa.DateTime(timezone=True)))


def downgrade():
    op.drop_column("shipments", "sent_at")
