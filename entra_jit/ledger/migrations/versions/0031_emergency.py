"""Emergency accounts: how many are wanted, what was done with each, and their sealed passkeys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("emergency_accounts", sa.Integer, server_default="0", nullable=False))
    op.add_column(
        "tenants",
        sa.Column("emergency_rotation", sa.Interval, server_default=sa.text("'90 days'::interval"), nullable=False),
    )
    op.create_table(
        "emergency_accounts",
        sa.Column("tenant_id", sa.Uuid, sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("rotated_at", sa.DateTime(timezone=True)),
        sa.Column("rotate_at", sa.DateTime(timezone=True)),
        sa.Column("drilled_at", sa.DateTime(timezone=True)),
        sa.Column("drill_outcome", sa.String),
        sa.Column("drill_detail", sa.String),
        sa.Column("drill_at", sa.DateTime(timezone=True)),
        sa.Column("revealed_at", sa.DateTime(timezone=True)),
        sa.Column("revealed_to", postgresql.JSONB),
        sa.Column("usable_until", sa.DateTime(timezone=True)),
        sa.Column("revealed_credential", sa.Uuid),
        sa.Column("in_kit_since", sa.DateTime(timezone=True)),
        sa.Column("kit_credential", sa.Uuid),
        sa.Column("seen_sign_ins", postgresql.JSONB, server_default=sa.text("'[]'::jsonb"), nullable=False),
    )
    op.create_table(
        "emergency_credentials",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method_id", sa.String),
        sa.Column("rp_id", sa.String),
        sa.Column("user_handle", sa.String),
        sa.Column("registered_at", sa.DateTime(timezone=True)),
        sa.Column("proven_at", sa.DateTime(timezone=True)),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["tenant_id", "number"], ["emergency_accounts.tenant_id", "emergency_accounts.number"]),
    )
    op.create_index("emergency_credentials_of_an_account", "emergency_credentials", ["tenant_id", "number"])
    op.create_index(
        "one_emergency_credential_to_prove",
        "emergency_credentials",
        ["tenant_id", "number"],
        unique=True,
        postgresql_where=sa.text("proven_at IS NULL AND retired_at IS NULL AND ciphertext IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("emergency_credentials")
    op.drop_table("emergency_accounts")
    op.drop_column("tenants", "emergency_rotation")
    op.drop_column("tenants", "emergency_accounts")
