"""A ledger as large as a big MSP's, made by a few statements."""

from __future__ import annotations

from datetime import datetime

import psycopg

_STATEMENTS = """
INSERT INTO tenants (id, name, display_name, account_domain, account_prefix, default_duration, max_duration,
                     credential, active)
SELECT md5('tenant' || n)::uuid, 'customer-' || n, 'Customer ' || n, 'customer-' || n || '.onmicrosoft.com', 'msp-',
       '4 hours', '8 hours', 'auto', true
FROM generate_series(1, %(tenants)s::int) AS n;
INSERT INTO technicians (id, name, display_name, active)
SELECT md5('technician' || n)::uuid, 'technician-' || n, 'Technician ' || n, true
FROM generate_series(1, %(technicians)s::int) AS n;
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT n, t AS tenant, p AS technician, 'customer-' || t || '/technician-' || p || '/' || n AS id,
       md5('tenant' || t)::uuid AS tenant_id, md5('technician' || p)::uuid AS technician_id,
       %(now)s::timestamptz - (%(receipts)s::int + %(live)s::int - n) * interval '10 minutes' AS at,
       n > %(receipts)s::int AS is_live, n %% 200 = 0 AS is_late
FROM (SELECT n, 1 + n %% %(tenants)s::int AS t, 1 + (n / %(tenants)s::int) %% %(technicians)s::int AS p
      FROM generate_series(1, %(receipts)s::int + %(live)s::int) AS n) AS numbers;
INSERT INTO texts (id, salt, content, request_id)
SELECT md5('reason' || n)::uuid, repeat('00', 16), 'Mail flow is down, case ' || n, id FROM made;
INSERT INTO texts (id, salt, content, request_id)
SELECT md5('ticket' || n)::uuid, repeat('00', 16), 'T-' || n / 30, id FROM made WHERE n %% 10 = 0;
INSERT INTO texts (id, salt, content) SELECT md5('name' || n)::uuid, repeat('00', 16), 'technician-' || n
FROM generate_series(1, %(technicians)s::int) AS n;
INSERT INTO requests (id, tenant, technician, tenant_id, technician_id, reason_text, ticket_text, requested_by,
                      asked_at, decided_at, verdict)
SELECT id, 'customer-' || tenant, 'technician-' || technician, tenant_id, technician_id,
       jsonb_build_object('text', md5('reason' || n)::uuid, 'hash', ''),
       CASE WHEN n %% 10 = 0 THEN jsonb_build_object('text', md5('ticket' || n)::uuid, 'hash', '') END,
       jsonb_build_object('kind', 'person', 'id', technician_id, 'name', 'technician-' || technician, 'via', 'portal'),
       at, at, 'allowed'
FROM made;
INSERT INTO grants (request_id, tenant_id, technician_id, account_name, duration, window_ends_at, attempt, armed_at,
                    opened_at, expires_at, closing_at, settled_at, closed_at, ending)
SELECT id, tenant_id, technician_id, 'msp-technician-' || technician || '@customer-' || tenant || '.onmicrosoft.com',
       '4 hours', at + interval '1 hour', 1, at, at, at + interval '4 hours',
       CASE WHEN NOT is_live THEN at END, CASE WHEN NOT is_live THEN at END, CASE WHEN NOT is_live THEN at END,
       CASE WHEN NOT is_live THEN 'expired' END
FROM made;
INSERT INTO receipts (request_id, issued_at, tenant_id, technician_id, late_or_unproven, document)
SELECT id, at, tenant_id, technician_id, is_late, jsonb_build_object(
    'request', jsonb_build_object('request_id', id, 'tenant', 'customer-' || tenant, 'asked_at', at,
        'technician', jsonb_build_object('text', md5('name' || technician)::uuid, 'hash', ''),
        'ticket', CASE WHEN n %% 10 = 0 THEN jsonb_build_object('text', md5('ticket' || n)::uuid, 'hash', '') END,
        'reason', jsonb_build_object('text', md5('reason' || n)::uuid, 'hash', '')),
    'requested_by', jsonb_build_object('kind', 'person', 'id', technician_id, 'name', 'technician', 'via', 'portal'),
    'decision', 'Allowed.', 'decided_at', at, 'tenant_id', tenant_id, 'technician_id', technician_id,
    'opened_at', at - interval '4 hours', 'expires_at', at, 'settled_at', at, 'disabled_at', at, 'proven_at', at,
    'ending', jsonb_build_object('state', 'expired', 'by',
        jsonb_build_object('kind', 'system', 'id', 'clock', 'name', 'the clock', 'via', 'internal')),
    'lateness', CASE WHEN is_late THEN 'PT5M' ELSE 'PT0.8S' END, 'proof', 'read back',
    'steps', (SELECT jsonb_agg(jsonb_build_object('name', 'step ' || s, 'at', at, 'note', repeat('a note ', 10)))
              FROM generate_series(1, 5) AS s))
FROM made WHERE NOT is_live;
INSERT INTO events (tenant_id, request_id, actor, kind, body)
SELECT tenant_id, id, jsonb_build_object('kind', 'system', 'id', 'alarms', 'name', 'alarms', 'via', 'internal'),
       'alarm cleared', jsonb_build_object('kind', 'closing late', 'subject', id, 'sentence', 'It is late.',
           'tenant', 'customer-' || tenant, 'request_id', id, 'raised_at', at, 'cleared_at', at, 'all_clear', 'closed')
FROM made WHERE NOT is_live;
ANALYZE;
"""


def fill(url: str, *, now: datetime, tenants: int, technicians: int, receipts: int, live: int) -> None:
    """Customers, technicians, grants that are over with their receipts, and ``live`` ones.

    One in ten minutes ended, the last one before the live ones were opened; each 200th five minutes late. The live ones
    were opened in the same way, the last one at ``now``. ``tenants`` times ``technicians`` must be more than ``live``.
    """
    numbers = {"now": now, "tenants": tenants, "technicians": technicians, "receipts": receipts, "live": live}
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # the keys are right, and looking takes longest
        for statement in _STATEMENTS.split(";\n"):
            connection.execute(statement.encode(), numbers)
