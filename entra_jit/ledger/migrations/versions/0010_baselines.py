"""What an account had before it was opened is called its baseline."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("grants", "stock", new_column_name="baseline")


def downgrade() -> None:
    op.alter_column("grants", "baseline", new_column_name="stock")
