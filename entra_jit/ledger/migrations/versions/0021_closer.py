"""What the closer has taken and disabled, and where it finds what is due next."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grants", sa.Column("taken_at", sa.DateTime(timezone=True)))
    op.add_column("grants", sa.Column("disabled_at", sa.DateTime(timezone=True)))
    waiting = sa.text("settled_at IS NULL AND disabled_at IS NULL")
    op.create_index("grants_not_yet_disabled", "grants", ["expires_at"], postgresql_where=waiting)
    op.create_table(
        "closers",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lateness", sa.Interval()),
    )


def downgrade() -> None:
    op.drop_table("closers")
    op.drop_index("grants_not_yet_disabled", "grants")
    op.drop_column("grants", "disabled_at")
    op.drop_column("grants", "taken_at")
