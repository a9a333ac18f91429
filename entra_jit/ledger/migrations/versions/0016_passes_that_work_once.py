"""Whether a credential works once."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sealed_credentials", sa.Column("usable_once", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    op.drop_column("sealed_credentials", "usable_once")
