"""What keeps the work on one grant, and on one tenant, independent of how many grants there ever were."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX grants_settled_of_an_account ON grants (tenant_id, technician_id, settled_at);
CREATE INDEX grants_opened_of_an_account ON grants (tenant_id, technician_id, opened_at);
CREATE INDEX grants_lately_over ON grants (coalesce(closed_at, settled_at), tenant_id);
CREATE INDEX role_mappings_of_a_tenant ON role_mappings (tenant_id, group_name);
"""


def upgrade() -> None:
    op.execute(sa.text(INDEXES))


def downgrade() -> None:
    for index in ("grants_settled_of_an_account", "grants_opened_of_an_account", "grants_lately_over"):
        op.drop_index(index)
    op.drop_index("role_mappings_of_a_tenant")
