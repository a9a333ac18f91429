"""What keeps the registers of one tenant, and of one technician, independent of how many others there are."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX requests_of_a_tenant ON requests (tenant_id, asked_at);
CREATE INDEX requests_of_a_technician_in_order ON requests (technician_id, asked_at);
CREATE INDEX alarms_over_in_a_tenant ON events (tenant_id, id) WHERE kind = 'alarm cleared';
"""


def upgrade() -> None:
    op.execute(sa.text(INDEXES))


def downgrade() -> None:
    for index in ("requests_of_a_tenant", "requests_of_a_technician_in_order", "alarms_over_in_a_tenant"):
        op.drop_index(index)
