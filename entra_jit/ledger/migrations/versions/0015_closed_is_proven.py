"""A grant is settled when its receipt is written, and closed when the directory has said so."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

PROVEN = """
UPDATE grants SET closed_at = settled_at FROM receipts
WHERE receipts.request_id = grants.request_id AND document ->> 'proof' IN ('read back', 'not needed')
"""


def upgrade() -> None:
    op.alter_column("grants", "closed_at", new_column_name="settled_at")
    op.add_column("grants", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(sa.text(PROVEN))


def downgrade() -> None:
    op.drop_column("grants", "closed_at")
    op.alter_column("grants", "settled_at", new_column_name="closed_at")
