"""What the ledger's rotations explain of the writes to emergency accounts. Nothing else explains any.

A closing continues while the ledger is away, and an intervention closes what has no grant: neither may touch one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from entra_jit.graph.roles import assignment_id
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR
from models.messages import ObjectId, RoleId
from tests.chaos.bound import IN_FLIGHT
from tests.chaos.evidence import EmergencyAccount, Entry, Evidence, moment
from tests.stage import ELEVATE

ASSIGNMENTS = "/v1.0/roleManagement/directory/roleAssignments"
METHODS = "/authentication/fido2Methods"


def emergency_account_of(evidence: Evidence, customer: str, path: str) -> EmergencyAccount | None:
    """The emergency account that a path is about."""
    return next((one for one in evidence.emergency if one.customer == customer and _is_about(one, path)), None)


def _is_about(account: EmergencyAccount, path: str) -> bool:
    who = {account.object_id, account.account} - {None}
    if account.object_id is not None:
        held = assignment_id(RoleId(GLOBAL_ADMINISTRATOR), ObjectId(account.object_id))
        if path == f"{ASSIGNMENTS}/{held}":
            return True
    return bool(who & set(re.split(r"[/?]", path.lower())))


def is_making(account: EmergencyAccount, at: datetime) -> bool:
    """Whether the account was being made, and given its role."""
    return account.registered_at <= at and (account.completed_at is None or at <= account.completed_at + IN_FLIGHT)


def is_by_rotation(evidence: Evidence, account: EmergencyAccount, entry: Entry) -> bool:
    """Whether it is what a rotation does, and one was under way."""
    path = entry["path"].partition(account.object_id or account.account)[2].partition("?")[0]
    done = entry["method"], re.sub(rf"(?<={METHODS}/).+", "*", path)
    by_elevating = {("POST", METHODS), ("DELETE", f"{METHODS}/*"), ("PATCH", "")}
    is_a_step = done == ("POST", "/revokeSignInSessions") or (entry["app_id"] == ELEVATE and done in by_elevating)
    at = moment(entry)
    return is_a_step and any(began <= at <= over for began, over in rotations(evidence, account))


def rotations(evidence: Evidence, account: EmergencyAccount) -> Iterator[tuple[datetime, datetime]]:
    """From when to when each rotation ran: until its passkey was proven, and all before it were retired."""
    for place, passkey in enumerate(account.passkeys):
        ends = [passkey.proven_at, account.completed_at, *(old.retired_at for old in account.passkeys[:place])]
        over = [end for end in ends if end is not None]
        yield passkey.made_at, (max(over) if len(over) == len(ends) else evidence.gathered_at) + IN_FLIGHT
