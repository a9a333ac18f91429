"""The figures of a storm: how many of what, how late, how near to the bound, and what was lost."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from models.actor import RECONCILER
from models.messages import GrantState
from tests.chaos.bound import PROMPT
from tests.chaos.evidence import Evidence
from tests.chaos.outages import Kind
from tests.chaos.verdict import gone_for_good, must_be_closed_by


@dataclass(frozen=True)
class Storm:
    """What is known of a storm besides its evidence."""

    seed: int
    seconds: float
    took: float
    looks: int
    happened: Counter[Kind]
    calls_struck: Counter[Kind]
    unheard: Counter[str]
    emergency_acts: Counter[str]


def told(storm: Storm, evidence: Evidence, lost: Sequence[str]) -> str:
    """The figures as lines to print; Markdown, so that they can stand in a document as they are."""
    endings = Counter(receipt.ending.state for receipt in evidence.receipts.values())
    expired = [r for r in evidence.receipts.values() if r.lateness is not None and r.ending.by != RECONCILER]
    disabled = [r.lateness.total_seconds() for r in expired if r.lateness is not None]
    proven = [r.proven_lateness.total_seconds() for r in expired if r.proven_lateness is not None]
    calm = [
        r.lateness.total_seconds()
        for r in expired
        if r.lateness is not None and _was_calm(evidence, r.request.request_id)
    ]
    writes = sum(entry["effect"] for entry in evidence.journal)
    lines = [
        f"storm of {storm.seconds:.0f} s, seed {storm.seed}, over after {storm.took:.0f} s",
        "",
        "| | |",
        "|---|---|",
        f"| requests | {len(evidence.asked)} |",
        f"| grants | {len(evidence.grants)}, in {len({g.customer for g in evidence.grants})} tenants |",
        f"| endings | {_counted(endings)} |",
        f"| workflows terminated for good | {len(gone_for_good(evidence))} |",
        f"| done by hand | {_counted(Counter(d.deed.value for d in evidence.done if not d.refused_with))} |",
        f"| refused by hand | {sum(d.refused_with is not None for d in evidence.done)} |",
        f"| emergency accounts, and their passkeys | {_emergency(evidence)} |",
        f"| done to them | {_counted(storm.emergency_acts)} |",
        f"| calls that people had to repeat | {sum(storm.unheard.values())} |",
        f"| directory calls, of which writes | {len(evidence.journal)}, {writes} |",
        f"| processes that wanted each core, at worst | {evidence.crowding:.1f} |",
        f"| looks at every account | {storm.looks} |",
        f"| disabled after expiry | {_spread(disabled)} |",
        f"| the same, where no trouble was in the way | {_spread(calm)} |",
        f"| the same, by the reconciler, where the workflow was gone | {_spread(_instead(evidence))} |",
        f"| read back closed after expiry | {_spread(proven)} |",
        f"| nearest to its bound | {_nearest(evidence)} |",
        f"| losses | {len(lost)} |",
        "",
        "| trouble | times | calls struck |",
        "|---|---|---|",
        *(
            f"| {kind} | {count} | {storm.calls_struck[kind] or ''} |"
            for kind, count in sorted(storm.happened.items(), key=lambda item: list(Kind).index(item[0]))
        ),
        *([""] if lost else []),
        *(f"LOST: {sentence}" for sentence in lost),
    ]
    return "\n".join(lines)


def _emergency(evidence: Evidence) -> str:
    passkeys = [passkey for account in evidence.emergency for passkey in account.passkeys]
    return f"{len(evidence.emergency)}; {len(passkeys)}, of which {sum(bool(p.proven_at) for p in passkeys)} signed in"


def _was_calm(evidence: Evidence, request_id: str) -> bool:
    grant = next((grant for grant in evidence.grants if grant.request_id == request_id), None)
    return bool(
        grant
        and grant.expires_at
        and must_be_closed_by(evidence, grant) == grant.expires_at + PROMPT * evidence.crowding
    )


def _instead(evidence: Evidence) -> list[float]:
    """After how many seconds the reconciler disabled what its workflow had not; until it was enabled again."""
    expiries = {grant.request_id: grant.expires_at for grant in evidence.grants}
    shut = [one for one in evidence.interventions if one.found_enabled and one.request_id]
    done = [(one.disabled_at, expiries.get(one.request_id or "")) for one in shut]
    return [(at - due).total_seconds() for at, due in done if at and due and at > due]


def _nearest(evidence: Evidence) -> str:
    """The largest share of what it was allowed that any account took, by what the watch saw."""
    shares: list[tuple[float, timedelta, timedelta]] = []
    for grant in evidence.grants:
        if grant.expires_at is None:
            continue
        allowed = must_be_closed_by(evidence, grant) - grant.expires_at
        seen = [
            s.last - grant.expires_at
            for s in evidence.sightings
            if s.account == grant.account and s.first <= grant.expires_at <= s.last
        ]
        shares += [(late / allowed, late, allowed) for late in seen if allowed > timedelta(0)]
    if not shares:
        return "none was seen open past its expiry"
    share, late, allowed = max(shares)
    return (
        f"{share:.0%}: seen open {late.total_seconds():.1f} s after its expiry, allowed {allowed.total_seconds():.0f} s"
    )


def _spread(values: Iterable[float]) -> str:
    ordered = sorted(values)
    if not ordered:
        return "-"
    at99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"p50 {statistics.median(ordered):.1f} s, p99 {at99:.1f} s, max {ordered[-1]:.1f} s (of {len(ordered)})"


def _counted(counter: Counter[str] | Counter[GrantState]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common()) or "-"
