"""Holding the sandbox's journal against the ledger: a write that no grant and no intervention accounts for is a loss.

The journal has no bodies, so a write is known by method, path and time. What widens access (an account made, a role
given, a pass made) belongs between the decision for a grant and its fence; whatever else is done to one of our accounts
belongs in the life of one of its grants; closing alone may also be done by an intervention that the ledger knows of.
What is done to an emergency account belongs in one of its rotations.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from entra_jit.graph.roles import assignment_id
from entra_jit.policy.roles import find_role
from models.messages import ObjectId, RoleId
from tests.chaos.bound import IN_FLIGHT
from tests.chaos.emergency_writes import ASSIGNMENTS, emergency_account_of, is_by_rotation, is_making
from tests.chaos.evidence import Entry, Evidence, Grant, moment
from tests.chaos.land import ROLES
from tests.chaos.outages import Kind
from tests.stage import ELEVATE, REVOKE

CUT_SHORT = timedelta(minutes=1)
"""How long an intervention that never came to its proof was tried at most."""

LEDGER_AWAY = {Kind.POSTGRES_KILLED, Kind.POSTGRES_AWAY, Kind.POWER_CUT}

USER = re.compile(r"^/v1\.0/users/(?P<who>[^/?]+)(?P<rest>/[^?]*)?$")
MEMBER = re.compile(r"^/v1\.0/groups/[^/]+/members/(?P<who>[^/]+)/\$ref$")


@dataclass(frozen=True)
class Life:
    """From the decision for a grant until nothing may widen any more, and until nothing of it runs any more."""

    began: datetime
    fenced: datetime
    over: datetime

    @classmethod
    def of(cls, grant: Grant, last_run_over: datetime, end: datetime) -> Life:
        """``end``: of the evidence. Until a grant is settled, the closer closes it without its workflow, too."""
        return cls(
            grant.decided_at,
            (grant.closing_at or last_run_over) + IN_FLIGHT,
            max(grant.settled_at or end, last_run_over) + IN_FLIGHT,
        )


def unexplained_writes(evidence: Evidence) -> Iterator[str]:
    """A sentence for each write that the ledger does not explain."""
    ours = [entry for entry in evidence.journal if entry["effect"] and entry["app_id"] in {ELEVATE, REVOKE}]
    lives = _lives(evidence)
    for entry in ours:
        customer = evidence.tenant_ids.get(entry["tenant"], "?")
        if not _explained(evidence, lives, customer, entry):
            what = f"{entry['method']} {entry['path']} at {entry['time']} by {entry['app_id']}"
            yield f"{customer}: {what} is not explained by the ledger. {_known(evidence, lives, customer, entry)}"
    made = Counter(evidence.tenant_ids[entry["tenant"]] for entry in ours if _is_creation(entry))
    registered = Counter(row.customer for row in evidence.register)
    for customer, count in made.items():
        if count > registered[customer]:
            yield f"{customer}: {count} accounts were made, and {registered[customer]} are registered"


def _explained(evidence: Evidence, lives: dict[tuple[str, str], list[Life]], customer: str, entry: Entry) -> bool:
    at, path = moment(entry), unquote(entry["path"])
    if account := emergency_account_of(evidence, customer, path):
        return is_by_rotation(evidence, account, entry)
    if _is_creation(entry) or (entry["method"] == "POST" and path == ASSIGNMENTS):
        if any(is_making(account, at) for account in evidence.emergency if account.customer == customer):
            return True
        anybodys = [life for (where, _), several in lives.items() if where == customer for life in several]
        return any(life.began <= at <= life.fenced for life in anybodys)
    account = _whose(evidence, customer, path)
    if account is None:
        return False
    if entry["method"] == "POST" and path.endswith("/temporaryAccessPassMethods"):
        return any(life.began <= at <= life.fenced for life in lives[customer, account])
    if any(life.began <= at <= life.over for life in lives[customer, account]):
        return True
    if any(gone.began <= at <= gone.ended + IN_FLIGHT for gone in evidence.outages if gone.kind in LEDGER_AWAY):
        return True  # closing continues while nothing can be recorded
    return any(
        done.began_at <= at <= (done.proven_at or done.began_at + CUT_SHORT) + IN_FLIGHT
        for done in evidence.interventions
        if (done.customer, done.account) == (customer, account)
    )


def _known(evidence: Evidence, lives: dict[tuple[str, str], list[Life]], customer: str, entry: Entry) -> str:
    """What the ledger knows of the account, for the person who has to find out."""
    account = _whose(evidence, customer, unquote(entry["path"]))
    if account is None:
        return "No account that is registered."
    grants = [f"{life.began:%H:%M:%S} to {life.over:%H:%M:%S}" for life in lives[customer, account]]
    done = [one for one in evidence.interventions if (one.customer, one.account) == (customer, account)]
    interventions = [f"{one.began_at:%H:%M:%S} to {one.proven_at and f'{one.proven_at:%H:%M:%S}'}" for one in done]
    return f"Grants of {account}: {', '.join(grants) or 'none'}; interventions: {', '.join(interventions) or 'none'}."


def _is_creation(entry: Entry) -> bool:
    return bool(entry["method"] == "POST" and entry["path"] == "/v1.0/users")


def _whose(evidence: Evidence, customer: str, path: str) -> str | None:
    """The registered account that a path is about."""
    by_name = _ids_by_name(evidence, customer)
    ours = [row for row in evidence.register if row.customer == customer]
    rows = [(row.account, row.object_id or by_name.get(row.account)) for row in ours]
    if found := (USER.match(path) or MEMBER.match(path)):
        who = found["who"].lower()
        return next((account for account, object_id in rows if who in {object_id, account}), None)
    for account, object_id in rows:
        if object_id is None:
            continue
        for role in ROLES:
            if path == f"{ASSIGNMENTS}/{assignment_id(RoleId(find_role(role).id), ObjectId(object_id))}":
                return account
    return None


def _ids_by_name(evidence: Evidence, customer: str) -> dict[str, str]:
    """For accounts of which the register has the name alone: their making was given up before its answer came."""
    return {person["user_principal_name"].lower(): person["id"] for person in evidence.after[customer]}


def _lives(evidence: Evidence) -> dict[tuple[str, str], list[Life]]:
    """The lives of each account's grants, by customer and account."""
    end = evidence.gathered_at
    last_run: dict[str, datetime] = {}
    for run in evidence.runs:
        over = run.over or end
        last_run[run.request_id] = max(over, last_run.get(run.request_id, over))
    lives: dict[tuple[str, str], list[Life]] = defaultdict(list)
    for grant in evidence.grants:
        over = last_run.get(grant.request_id, grant.settled_at or end)
        lives[grant.customer, grant.account].append(Life.of(grant, over, end))
    return lives
