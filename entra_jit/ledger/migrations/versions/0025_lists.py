"""What lists are filtered and sorted by, with the indexes that their plans need."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE receipts ADD COLUMN tenant_id uuid, ADD COLUMN technician_id uuid,
    ADD COLUMN late_or_unproven boolean NOT NULL DEFAULT false;
UPDATE receipts SET tenant_id = requests.tenant_id, technician_id = requests.technician_id,
    late_or_unproven = document->>'proof' NOT IN ('read back', 'not needed') OR CASE
        WHEN left(document->>'lateness', 1) = 'P' THEN (document->>'lateness')::interval > '1 minute' ELSE false END
    FROM requests WHERE requests.id = receipts.request_id;
CREATE INDEX receipts_in_order ON receipts (issued_at, request_id);
CREATE INDEX receipts_of_a_tenant ON receipts (tenant_id, issued_at, request_id);
CREATE INDEX receipts_of_a_technician ON receipts (technician_id, issued_at, request_id);
CREATE INDEX receipts_late_or_unproven ON receipts (issued_at, request_id) WHERE late_or_unproven;
CREATE INDEX requests_in_order ON requests (asked_at, id);
CREATE INDEX grants_not_proven_closed ON grants (tenant_id, technician_id) WHERE closed_at IS NULL;
CREATE INDEX alarms_in_order ON alarms (raised_at, kind, subject);
"""


def upgrade() -> None:
    op.execute(sa.text(TABLES))


def downgrade() -> None:
    for column in ("late_or_unproven", "technician_id", "tenant_id"):
        op.drop_column("receipts", column)
    for index in ("requests_in_order", "grants_not_proven_closed", "alarms_in_order"):
        op.drop_index(index)
