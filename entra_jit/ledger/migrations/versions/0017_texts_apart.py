"""Texts that people wrote stand in ``texts`` alone: rows hold id and salted hash.

Each knows the request, or the person, that it concerns, so that all of one technician's can be erased. Nothing is
deployed that would have any.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE texts ADD COLUMN request_id varchar, ADD COLUMN person_id uuid;
CREATE INDEX ix_texts_request_id ON texts (request_id);
CREATE INDEX ix_texts_person_id ON texts (person_id);
ALTER TABLE requests DROP COLUMN reason, DROP COLUMN ticket, DROP COLUMN sentence,
    ADD COLUMN reason_text jsonb NOT NULL, ADD COLUMN ticket_text jsonb, ADD COLUMN sentence_text jsonb;
ALTER TABLE grants DROP COLUMN end_reason;
ALTER TABLE holds DROP COLUMN because, ADD COLUMN because_text jsonb NOT NULL;
"""


def upgrade() -> None:
    op.execute(sa.text(TABLES))


def downgrade() -> None:
    raise NotImplementedError("texts are not put back into the tables")
