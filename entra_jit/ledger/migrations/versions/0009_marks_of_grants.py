"""The open-until mark that was written for a grant: an expiry that no signed mark covers counts as past."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grants", sa.Column("mark", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("grants", "mark")
