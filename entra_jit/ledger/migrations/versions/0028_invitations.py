"""Links by which an administrator of a customer connects their tenant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "connection_invitations",
        sa.Column("token_hash", sa.String, primary_key=True),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("domain", sa.String, nullable=False),
        sa.Column("invited_by", postgresql.JSONB, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("pending_connections", sa.Column("invitation_hash", sa.String))


def downgrade() -> None:
    op.drop_column("pending_connections", "invitation_hash")
    op.drop_table("connection_invitations")
