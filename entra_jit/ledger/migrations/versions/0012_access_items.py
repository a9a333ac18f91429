"""A grant gives access items of any kind, not roles alone; and each managed account says what kind of account it is."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("grants", "roles", new_column_name="access")
    op.execute(
        """
        UPDATE grants SET access = (
            SELECT coalesce(jsonb_agg(item || '{"kind": "role"}'), '[]') FROM jsonb_array_elements(access) AS item
        )
        """
    )
    op.drop_constraint("one_mapping", "role_mappings")
    op.alter_column("role_mappings", "role_id", new_column_name="item_id", type_=sa.String())
    op.alter_column("role_mappings", "role_name", new_column_name="item_name")
    op.add_column("role_mappings", sa.Column("kind", sa.String(), nullable=False, server_default="role"))
    op.alter_column("role_mappings", "kind", server_default=None)
    op.create_unique_constraint(
        "one_mapping",
        "role_mappings",
        ["group_name", "tenant_id", "kind", "item_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.add_column("managed_accounts", sa.Column("kind", sa.String(), nullable=False, server_default="technician"))


def downgrade() -> None:
    op.drop_column("managed_accounts", "kind")
    op.execute("DELETE FROM role_mappings WHERE kind <> 'role'")
    op.drop_constraint("one_mapping", "role_mappings")
    op.drop_column("role_mappings", "kind")
    op.alter_column("role_mappings", "item_name", new_column_name="role_name")
    uuid = {"type_": sa.Uuid(), "postgresql_using": "item_id::uuid"}
    op.alter_column("role_mappings", "item_id", new_column_name="role_id", **uuid)
    op.create_unique_constraint(
        "one_mapping", "role_mappings", ["group_name", "tenant_id", "role_id"], postgresql_nulls_not_distinct=True
    )
    op.alter_column("grants", "access", new_column_name="roles")
