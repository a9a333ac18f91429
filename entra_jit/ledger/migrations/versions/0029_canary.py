"""How often the doctor's canary is run in a tenant without being asked."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("canary", sa.String(), server_default="never", nullable=False))


def downgrade() -> None:
    op.drop_column("tenants", "canary")
