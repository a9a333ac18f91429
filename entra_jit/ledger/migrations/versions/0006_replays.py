"""Requests that repeat failed ones, and what kind of failure parked or ended a grant."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("requests", sa.Column("replay_of", sa.String(), nullable=True))
    op.create_index("ix_requests_replay_of", "requests", ["replay_of"])
    op.add_column("grants", sa.Column("failure", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("grants", "failure")
    op.drop_index("ix_requests_replay_of", "requests")
    op.drop_column("requests", "replay_of")
