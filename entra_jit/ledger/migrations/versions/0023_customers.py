"""What a technician's list of customers needs: tags to search by, favourites, and the last request of each tenant."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE tenants ADD COLUMN tags jsonb NOT NULL DEFAULT '[]';
CREATE TABLE favourites (
    technician_id uuid NOT NULL REFERENCES technicians (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    PRIMARY KEY (technician_id, tenant_id)
);
CREATE INDEX requests_of_a_technician ON requests (technician_id, tenant_id, asked_at);
"""


def upgrade() -> None:
    op.execute(sa.text(TABLES))


def downgrade() -> None:
    op.execute(sa.text("DROP TABLE favourites; DROP INDEX requests_of_a_technician; ALTER TABLE tenants DROP tags"))
