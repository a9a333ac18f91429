"""The last result of each check of a tenant: what comes out worse than before is an alarm."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checks",
        sa.Column("tenant_id", sa.Uuid, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("read", sa.String, nullable=False),
        sa.Column("advice", sa.String, nullable=False),
        sa.Column("examined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged", sa.String),
    )


def downgrade() -> None:
    op.drop_table("checks")
