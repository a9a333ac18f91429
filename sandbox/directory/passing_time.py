"""What time alone does to a tenant: roles begin and end on schedule, deleted accounts are gone after thirty days.

Nothing runs in the background. Each read of a tenant brings it up to date first, so a clock that a test has moved
is obeyed at the next request.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sandbox.directory.records import Schedule
from sandbox.directory.roles import assignment_id
from sandbox.directory.tenant import Tenant

DELETED_ITEMS_STAY = timedelta(days=30)
_NEVER = datetime.max.replace(tzinfo=UTC)


def catch_up(tenant: Tenant, now: datetime) -> None:
    """Do to the tenant what was due by now; costs nothing when nothing was."""
    if tenant.next_due is not None and now < tenant.next_due:
        return
    for schedule in list(tenant.schedules):
        _keep(tenant, schedule, now)
    for user in list(tenant.deleted_users):
        if user.deleted is not None and user.deleted + DELETED_ITEMS_STAY <= now:
            tenant.deleted_users.remove(user.id)
    tenant.next_due = min(_due(tenant, now), default=_NEVER)


def _keep(tenant: Tenant, schedule: Schedule, now: datetime) -> None:
    if schedule.expiration.ends is not None and schedule.expiration.ends <= now:
        tenant.end_schedule(schedule)
    elif schedule.kind == "assignment" and schedule.starts <= now:
        held = assignment_id(schedule.role_id, schedule.principal_id, schedule.scope)
        if held not in tenant.role_assignments:
            tenant.assign_role(schedule.role_id, schedule.principal_id, schedule.scope)


def _due(tenant: Tenant, now: datetime) -> Iterator[datetime]:
    for schedule in tenant.schedules:
        yield from (moment for moment in (schedule.starts, schedule.expiration.ends) if moment and moment > now)
    for user in tenant.deleted_users:
        if user.deleted is not None:
            yield user.deleted + DELETED_ITEMS_STAY
