"""The emergency accounts as lists and pages show them, in one statement."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger.database import rows_of
from models.marks import EMERGENCY_NAMES
from models.messages import EmergencyAccountView, SignInOutcome
from models.paging import Page, read_cursor

PAGE = 50

_FINDINGS = [outcome.value for outcome in SignInOutcome if outcome.is_a_finding]

_LISTED = text("""
WITH wanted AS (
    SELECT id, name, CASE WHEN active THEN emergency_accounts ELSE 0 END AS number
    FROM tenants WHERE disconnected_at IS NULL AND (CAST(:only AS uuid) IS NULL OR id = :only)
), numbered AS (
    SELECT id, name, generate_series(1, number) AS number FROM wanted
    UNION SELECT id, name, made.number FROM wanted JOIN emergency_accounts AS made ON made.tenant_id = id
), listed AS (
    SELECT numbered.id AS tenant_id, numbered.name AS tenant, numbered.number,
        numbered.number <= wanted.number AS is_wanted, registered.account_name,
        current.id AS credential, current.proven_at,
        made.rotated_at, made.rotate_at, made.drilled_at, made.drill_outcome, made.drill_detail, made.drill_at,
        made.revealed_at, made.revealed_to, made.usable_until, made.in_kit_since, made.kit_credential,
        current.id IS NULL OR coalesce(made.drill_outcome = ANY(:findings), false) AS needs_attention
    FROM numbered
    JOIN wanted USING (id)
    LEFT JOIN emergency_accounts AS made ON made.tenant_id = numbered.id AND made.number = numbered.number
    LEFT JOIN managed_accounts AS registered
        ON registered.tenant_id = made.tenant_id AND registered.technician_id = (CAST(:ids AS uuid[]))[made.number]
    LEFT JOIN LATERAL (
        SELECT passkey.id, passkey.proven_at FROM emergency_credentials AS passkey
        WHERE passkey.tenant_id = made.tenant_id AND passkey.number = made.number
            AND passkey.proven_at IS NOT NULL AND passkey.ciphertext IS NOT NULL AND passkey.retired_at IS NULL
        ORDER BY passkey.made_at DESC LIMIT 1
    ) AS current ON true
), sorted AS (
    SELECT *, NOT bool_or(needs_attention) OVER (PARTITION BY tenant_id) AS is_well FROM listed
)
SELECT * FROM sorted
WHERE (CAST(:search AS text) IS NULL OR strpos(lower(tenant), lower(:search)) > 0)
    AND (CAST(:usable_at AS timestamptz) IS NULL OR usable_until > :usable_at)
    AND (CAST(:after_tenant AS text) IS NULL OR (is_well, tenant, number) > (:after_well, :after_tenant, :after_number))
ORDER BY is_well, tenant, number
LIMIT :limit
""")


async def listed(
    session: AsyncSession,
    *,
    only: UUID | None = None,
    search: str | None = None,
    usable_at: datetime | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> Page[EmergencyAccountView]:
    """Every account that stands or is wanted: tenants first that need attention, then by name and number.

    ``search``: part of the tenant's name; ``usable_at``: those alone whose credential a person may use then. Raises
    ``BadInputError``.
    """
    is_well, tenant, number = read_cursor(after, tuple[bool, str, int]) if after is not None else (None, None, None)
    found = await rows_of(
        session,
        _LISTED,
        only=only,
        search=search,
        usable_at=usable_at,
        after_well=is_well,
        after_tenant=tenant,
        after_number=number,
        findings=_FINDINGS,
        ids=[UUID(id) for id in EMERGENCY_NAMES],
        limit=limit and limit + 1,
    )
    wells = {(row["tenant"], row["number"]): row["is_well"] for row in found}
    return Page.of(
        map(_view, found),
        limit or len(found),
        lambda one: (wells[one.tenant, one.number], one.tenant, one.number),
    )


def _view(row: RowMapping) -> EmergencyAccountView:
    credential, in_kit = row["credential"], row["kit_credential"]
    return EmergencyAccountView.model_validate(
        {
            **row,
            "credential": credential and str(credential),
            "rotates_at": row["rotate_at"],
            "drills_at": row["drill_at"],
            "kit_is_stale": in_kit is not None and in_kit != credential,
        }
    )
