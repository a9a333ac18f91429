"""Emergency accounts: when we last set the password, so that another's change of it is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("emergency_accounts", sa.Column("password_set_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("emergency_accounts", "password_set_at")
