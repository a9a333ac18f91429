"""What a request wants of that which the role mappings give. NULL: all of it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.text("ALTER TABLE requests ADD COLUMN access jsonb"))


def downgrade() -> None:
    op.execute(sa.text("ALTER TABLE requests DROP COLUMN access"))
