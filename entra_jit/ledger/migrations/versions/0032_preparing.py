"""Whether anything was written in the directory for a grant, and the id of its pass."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grants", sa.Column("prepared_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE grants SET prepared_at = now() WHERE settled_at IS NULL")  # for all that is known
    op.add_column("sealed_credentials", sa.Column("pass_id", sa.String()))


def downgrade() -> None:
    op.drop_column("sealed_credentials", "pass_id")
    op.drop_column("grants", "prepared_at")
