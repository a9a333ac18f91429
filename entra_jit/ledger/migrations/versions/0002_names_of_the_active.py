"""A tenant's or technician's name is free again once the configuration no longer has them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("tenants", "technicians"):
        op.drop_constraint(f"{table}_name_key", table, type_="unique")
        op.create_index(f"one_active_name_in_{table}", table, ["name"], unique=True, postgresql_where=sa.text("active"))


def downgrade() -> None:
    for table in ("tenants", "technicians"):
        op.drop_index(f"one_active_name_in_{table}", table, postgresql_where=sa.text("active"))
        op.create_unique_constraint(f"{table}_name_key", table, ["name"])
