"""Requests are found by their ticket."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "texts_as_short_as_a_ticket",
        "texts",
        [sa.text("lower(content)")],
        postgresql_where=sa.text("length(content) <= 100"),
    )


def downgrade() -> None:
    op.drop_index("texts_as_short_as_a_ticket")
