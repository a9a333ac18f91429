"""The journal: events, which nothing changes, and apart from them the texts that people wrote.

It takes the place of steps, addenda, interventions, and the history of alarms. Nothing is deployed that would have any.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tenant_id uuid,
    request_id varchar,
    actor jsonb NOT NULL DEFAULT '{}'::jsonb,
    kind varchar NOT NULL,
    body jsonb NOT NULL DEFAULT '{}'::jsonb,
    PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX events_in_order ON events (transaction_id, id);
CREATE INDEX events_of_a_request ON events (request_id, id);
CREATE INDEX events_of_a_kind ON events (kind, id);
CREATE TABLE event_keys (request_id varchar, key varchar, PRIMARY KEY (request_id, key));
DROP TABLE steps, addenda, interventions, alarms;
CREATE TABLE alarms (
    kind varchar, subject varchar, sentence varchar NOT NULL, tenant varchar, request_id varchar,
    raised_at timestamptz NOT NULL, PRIMARY KEY (kind, subject)
);
CREATE INDEX ix_alarms_request_id ON alarms (request_id);
CREATE TABLE texts (id uuid PRIMARY KEY, salt varchar, content varchar, erased_at timestamptz);
"""

# A row's trigger is PostgreSQL's to copy to each partition; one of TRUNCATE each partition has to be given.
GUARDS = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: what has happened stays', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION refuse_all_but_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = OLD.id AND NEW.content IS NULL AND NEW.salt IS NULL AND NEW.erased_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE of % is refused: a text is erased, or stays', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_change BEFORE UPDATE ON texts FOR EACH ROW EXECUTE FUNCTION refuse_all_but_erasing();
CREATE TRIGGER no_delete BEFORE DELETE ON texts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON texts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# False: there is one, or the default partition holds events of that month already, and keeps them.
PARTITIONS = """
CREATE FUNCTION make_event_partition(month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'events_' || to_char(month, 'YYYY_MM');
    first timestamptz := date_trunc('month', month) AT TIME ZONE 'UTC';
    following timestamptz := (date_trunc('month', month) + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('make_event_partition'));
    IF to_regclass(name) IS NOT NULL
        OR EXISTS (SELECT FROM events_default WHERE recorded_at >= first AND recorded_at < following)
    THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)', name, first, following);
    EXECUTE format(
        'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name
    );
    RETURN true;
END $$;

CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON events_default FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
SELECT make_event_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month')::date)
    FROM generate_series(0, 2) AS ahead;
"""


def upgrade() -> None:
    for script in (TABLES, GUARDS, PARTITIONS):
        op.execute(sa.text(script))


def downgrade() -> None:
    raise NotImplementedError("the journal is not unwritten")
