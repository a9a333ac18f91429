"""What was found on an account that was closed beside its grant's workflow: the settling of the grant reports it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    findings = sa.Column("findings", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb"))
    op.add_column("interventions", findings)


def downgrade() -> None:
    op.drop_column("interventions", "findings")
