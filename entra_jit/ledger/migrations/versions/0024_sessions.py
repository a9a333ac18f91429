"""People who are signed in at the portal, who are just signing in, and who wait to be accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE begun_sign_ins (
    key bytea PRIMARY KEY, sealed bytea NOT NULL, return_to varchar NOT NULL, is_fresh boolean NOT NULL,
    begun_at timestamptz NOT NULL
);
CREATE TABLE sessions (
    key bytea PRIMARY KEY, id uuid NOT NULL UNIQUE, person_id uuid NOT NULL, name varchar NOT NULL,
    roles jsonb NOT NULL DEFAULT '[]'::jsonb, browser varchar NOT NULL, signed_in_at timestamptz,
    began_at timestamptz NOT NULL, seen_at timestamptz NOT NULL
);
CREATE INDEX ix_sessions_person_id ON sessions (person_id);
CREATE TABLE waiting_sign_ins (
    person_id uuid PRIMARY KEY, name varchar NOT NULL, display_name varchar NOT NULL,
    first_at timestamptz NOT NULL, last_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    op.execute(sa.text(TABLES))


def downgrade() -> None:
    op.execute(sa.text("DROP TABLE begun_sign_ins, sessions, waiting_sign_ins"))
