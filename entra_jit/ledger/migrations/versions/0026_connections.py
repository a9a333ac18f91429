"""Tenants are connected by an administrator's consent: who is on the way, and who authorized what."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE tenants ADD COLUMN disconnected_at timestamptz;
CREATE TABLE pending_connections (
    state_hash varchar PRIMARY KEY,
    session_hash varchar NOT NULL,
    tenant_id uuid NOT NULL,
    domain varchar NOT NULL,
    step varchar NOT NULL,
    redirect_uri varchar NOT NULL,
    begun_by jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    key_id varchar,
    ciphertext bytea
);
CREATE TABLE tenant_connections (
    tenant_id uuid PRIMARY KEY,
    domain varchar NOT NULL,
    display_name varchar NOT NULL,
    applications jsonb NOT NULL DEFAULT '[]'::jsonb,
    authorized_by_id uuid NOT NULL,
    authorized_by_text jsonb NOT NULL,
    authorized_at timestamptz NOT NULL,
    connected_by jsonb NOT NULL
);
"""


def upgrade() -> None:
    op.execute(sa.text(TABLES))


def downgrade() -> None:
    op.drop_table("tenant_connections")
    op.drop_table("pending_connections")
    op.drop_column("tenants", "disconnected_at")
