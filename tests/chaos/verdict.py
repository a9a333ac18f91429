"""The verdict: what must be true of the evidence, whatever the weather was. Pure functions; each says what was lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime

from models.alarms import AlarmKind
from tests.chaos.bound import closed_by, reconciled_by
from tests.chaos.crowd import Deed, Done
from tests.chaos.emergency_verdict import (
    emergency_accounts_fallen,
    emergency_credentials_lost,
    retired_before_proven,
)
from tests.chaos.evidence import Evidence, Grant
from tests.chaos.outages import Kind, Outage
from tests.chaos.unexplained import unexplained_writes

ENDING = {Deed.END, Deed.END_WHILE_PREPARING, Deed.CANCEL, Deed.CANCEL_WHILE_PREPARING}
TERMINATING = {Deed.TERMINATE, Deed.TERMINATE_AND_REVIVE}
HELD = ("enabled", "roles", "groups", "methods", "temporary_access_pass")


def losses(evidence: Evidence) -> list[str]:
    """A sentence for each promise that was broken; none for a storm that the product survived."""
    invariants: tuple[Callable[[Evidence], Iterator[str]], ...] = (
        left_open,
        open_too_long,
        strangers_touched,
        accounts_nobody_registered,
        grants_unaccounted_for,
        locks_kept_for_ever,
        unexplained_writes,
        alarms_nothing_ends,
        emergency_accounts_fallen,
        emergency_credentials_lost,
        retired_before_proven,
    )
    return [sentence for invariant in invariants for sentence in invariant(evidence)]


def left_open(evidence: Evidence) -> Iterator[str]:
    """When everything is over, each account but an emergency account is disabled and holds nothing."""
    for customer, people in evidence.after.items():
        strangers = {person["id"] for person in evidence.before[customer]}
        for person in people:
            held = [part for part in HELD if person[part]]
            is_emergency = any(one.is_(customer, person) for one in evidence.emergency)
            if held and person["id"] not in strangers and not is_emergency:
                yield f"{person['user_principal_name']} was left with: {', '.join(held)}"


def open_too_long(evidence: Evidence) -> Iterator[str]:
    """What the watch saw open was open under a grant, and not past its expiry plus what its own outages allow."""
    strangers = {
        (customer, person["user_principal_name"].lower())
        for customer, people in evidence.before.items()
        for person in people
    }
    emergency = {(one.customer, one.account) for one in evidence.emergency}
    by_account = defaultdict(list)
    for grant in evidence.grants:
        by_account[grant.customer, grant.account].append(grant)
    for sighting in evidence.sightings:
        if (sighting.customer, sighting.account) in strangers | emergency:
            continue
        allowed = sighting.first
        for grant in sorted(by_account[sighting.customer, sighting.account], key=lambda grant: grant.decided_at):
            if grant.armed_at and grant.armed_at <= allowed:
                allowed = max(allowed, must_be_closed_by(evidence, grant))
        if sighting.last > allowed:
            late = (sighting.last - allowed).total_seconds()
            yield f"{sighting.account} was seen open until {sighting.last:%H:%M:%S}, {late:.1f} s longer than allowed"


def strangers_touched(evidence: Evidence) -> Iterator[str]:
    """Accounts that were there before are as before."""
    for customer, people in evidence.before.items():
        now = {person["id"]: person for person in evidence.after[customer]}
        for person in people:
            if now.get(person["id"]) != person:
                yield f"{person['user_principal_name']} is not ours, and was changed"


def accounts_nobody_registered(evidence: Evidence) -> Iterator[str]:
    """Each account that is there now and was not before is one of the register's, which has one a technician."""
    for customer, people in evidence.after.items():
        strangers = {person["id"] for person in evidence.before[customer]}
        rows = [row for row in evidence.register if row.customer == customer]
        ids, intended = {row.object_id for row in rows}, {row.account for row in rows if row.object_id is None}
        for person in people:
            name = person["user_principal_name"]
            if person["id"] not in strangers | ids and name.lower() not in intended:
                yield f"{name} was made, and no row of the register names it"


def grants_unaccounted_for(evidence: Evidence) -> Iterator[str]:
    """Every request has its receipt, or a closing that goes on, or was terminated for good by hand."""
    running = {run.request_id for run in evidence.runs if run.over is None}
    closing = {grant.request_id for grant in evidence.grants if grant.closing_at and not grant.settled_at} & running
    for request_id in evidence.asked:
        if request_id not in evidence.receipts.keys() | closing | gone_for_good(evidence):
            yield f"{request_id} has no receipt, and nothing is closing it"


def locks_kept_for_ever(evidence: Evidence) -> Iterator[str]:
    """Whatever became of its workflow, a grant that is over makes room for the technician's next one."""
    running = {run.request_id for run in evidence.runs if run.over is None}
    for request_id in sorted(evidence.unsettled - running):
        yield f"{request_id} holds its technician's place, and nothing will ever settle it"


FOR_A_PERSON = {AlarmKind.FOREIGN_CHANGE, AlarmKind.PERSISTENCE, AlarmKind.OPENED_AGAIN}


def alarms_nothing_ends(evidence: Evidence) -> Iterator[str]:
    """When everything is over, only what needs a person's attention is still alarmed."""
    for alarm in evidence.standing:
        if alarm.kind not in FOR_A_PERSON:
            yield f"the alarm {alarm.kind} stands about {alarm.subject}, and nothing will ever end it"


def must_be_closed_by(evidence: Evidence, grant: Grant) -> datetime:
    """The bound of one armed grant."""
    assert grant.expires_at is not None
    in_the_way = [
        *(outage for outage in evidence.outages if outage.concerns(grant.customer, grant.request_id)),
        *_times_without_workflow(evidence, grant),
    ]
    if grant.request_id in gone_for_good(evidence):
        return reconciled_by(grant.expires_at, in_the_way, evidence.reconciled_every, crowding=evidence.crowding)
    heard = [done.at for done in _deeds(evidence, grant) if done.deed in ENDING and not done.refused_with]
    due = min([grant.expires_at, *heard])
    return closed_by(due, in_the_way, crowding=evidence.crowding, early=due < grant.expires_at)


def gone_for_good(evidence: Evidence) -> set[str]:
    """The grants whose workflow was terminated and never revived: every run of it ended so."""
    runs = defaultdict(set)
    for run in evidence.runs:
        runs[run.request_id].add(run.status)
    return {request_id for request_id, statuses in runs.items() if statuses == {"TERMINATED"}}


def _times_without_workflow(evidence: Evidence, grant: Grant) -> Iterator[Outage]:
    gone_since: datetime | None = None
    for done in _deeds(evidence, grant):
        if done.deed in TERMINATING:
            gone_since = done.at
        elif done.deed is Deed.RESET and gone_since:
            yield Outage(Kind.WORKFLOW_GONE, gone_since, done.at, grant.customer, grant.request_id)


def _deeds(evidence: Evidence, grant: Grant) -> list[Done]:
    return sorted((done for done in evidence.done if done.request_id == grant.request_id), key=lambda done: done.at)
