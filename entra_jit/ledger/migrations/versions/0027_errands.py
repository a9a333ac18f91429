"""What workers did for the portal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "errands",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("outcome", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    )
    op.create_index("errands_done_at", "errands", ["done_at"])


def downgrade() -> None:
    op.drop_table("errands")
