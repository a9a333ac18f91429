"""Groups by several rules about attributes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("rules", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False))
    op.execute(
        "UPDATE groups SET rules = jsonb_build_array(jsonb_build_object("
        "'attribute', attribute, 'test', 'one_of', 'values', jsonb_build_array(value))) WHERE attribute IS NOT NULL"
    )
    op.drop_column("groups", "value")
    op.drop_column("groups", "attribute")


def downgrade() -> None:
    # A group that one value cannot describe would have other members: better none.
    op.add_column("groups", sa.Column("attribute", sa.String(), nullable=True))
    op.add_column("groups", sa.Column("value", sa.String(), nullable=True))
    op.execute(
        "UPDATE groups SET attribute = rules -> 0 ->> 'attribute', value = rules -> 0 -> 'values' ->> 0 "
        "WHERE jsonb_array_length(rules) = 1 AND rules -> 0 ->> 'test' = 'one_of' "
        "AND jsonb_array_length(rules -> 0 -> 'values') = 1"
    )
    op.create_check_constraint("attribute_with_value", "groups", "(attribute IS NULL) = (value IS NULL)")
    op.drop_column("groups", "rules")
