"""Who did something is an actor: kind, immutable id, name, and by which way they asked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS = (
    ("requests", "requested_by"),
    ("grants", "ended_by"),
    ("sealed_credentials", "revealed_to"),
    ("holds", "by"),
    ("holds", "lifted_by"),
)


def upgrade() -> None:
    for table, column in COLUMNS:
        op.alter_column(
            table,
            column,
            type_=JSONB,
            postgresql_using=f"""CASE WHEN "{column}" IS NOT NULL THEN jsonb_build_object(
                'kind', 'unknown', 'id', '', 'name', "{column}", 'via', 'internal') END""",
        )


def downgrade() -> None:
    for table, column in COLUMNS:
        op.alter_column(table, column, type_=sa.String(), postgresql_using=f"\"{column}\" ->> 'name'")
