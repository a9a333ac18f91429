"""One storm from beginning to end: the crowd asks while the weather blows and the watch looks on; then comes calm."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from entra_jit.app import App
from entra_jit.ledger.reconciliation import SETTLED_AFTER
from entra_jit.operations.end_access import end_access
from entra_jit.operations.list_alarms import list_alarms
from entra_jit.operations.reconcile import reconcile
from entra_jit.policy.durations import PROVISIONING_WINDOW
from tests.actors import TESTER, operator
from tests.chaos.crowd import Crowd, wishes
from tests.chaos.emergency_crowd import EmergencyCrowd, emergency_visits
from tests.chaos.evidence import (
    Evidence,
    emergency_on_file,
    grants_on_file,
    interventions_on_file,
    receipts_on_file,
    register_on_file,
    runs_in_temporal,
)
from tests.chaos.figures import Storm
from tests.chaos.land import RECONCILE_EVERY, Land, Person, settled_land
from tests.chaos.outages import OutageLog, now
from tests.chaos.storm_time import StormTime
from tests.chaos.watch import Watch
from tests.chaos.weather import Weather, forecast
from tests.stage import customer_id

NOTHING_MORE_COMES = timedelta(minutes=3)
"""When nothing has come to its end for so long, whatever still goes on is left to the verdict."""


@dataclass(frozen=True)
class Size:
    """How much of a storm."""

    grants: int
    emergency_visits: int
    """How often something is done to emergency accounts; 0: there are none."""
    seconds: float
    customers: int
    technicians: int
    longest: timedelta
    """The longest request."""
    look_every: float
    tenants_in_trouble: int
    """How many are so at the same time."""
    waits_for_reconciler: bool
    """Whether grants that were terminated for good are waited for, or closed by a reconciliation of an hour later."""
    patience: float
    """How many seconds people wait for a grant to open before they do what they came for all the same."""


SHORT = Size(
    grants=40,
    emergency_visits=0,
    seconds=12,
    customers=4,
    technicians=9,
    longest=timedelta(seconds=13),
    look_every=0.4,
    tenants_in_trouble=3,
    waits_for_reconciler=False,
    patience=20,
)
LONG = Size(
    grants=300,
    emergency_visits=75,
    seconds=300,
    customers=12,
    technicians=20,
    longest=timedelta(seconds=45),
    look_every=1.0,
    tenants_in_trouble=5,
    waits_for_reconciler=True,
    patience=60,
)


async def raise_storm(state: Path, seed: int, size: Size) -> tuple[Storm, Evidence]:
    """A stack of its own in ``state``, a storm over it, and everything that is left of it afterwards."""
    began = asyncio.get_running_loop().time()
    wanted = 1 if size.emergency_visits else 0
    async with settled_land(state, size.customers, size.technicians, emergency_accounts=wanted) as land:
        log = OutageLog()
        before = {customer: await land.people(customer) for customer in land.customers}
        time = StormTime()
        crowd, weather = Crowd(land, time, patience=size.patience), Weather(land, log, time)
        keepers = EmergencyCrowd(land, time, patience=size.patience)
        async with Watch(land, log, every=size.look_every) as watch:
            visits = wishes(seed, size.grants, size.seconds, land.customers, land.technicians, size.longest)
            emergency = emergency_visits(seed, size.emergency_visits, size.seconds, land.customers)
            long = size.waits_for_reconciler
            everybodys, tenants = forecast(seed, land.customers, size.tenants_in_trouble, long=long)
            everyone = asyncio.gather(crowd.come(visits), keepers.come(emergency))
            await weather.blow(everybodys, tenants, size.seconds, everyone)
            await asyncio.gather(
                _calm(land, crowd, watch, wait_for_reconciler=size.waits_for_reconciler),
                keepers.settle(NOTHING_MORE_COMES),
            )
        at = now()
        runs = await runs_in_temporal(land, crowd.asked)
        interventions = await interventions_on_file(land)
        grants = await grants_on_file(land)
        receipts = await receipts_on_file(land)
        accounts = [await keepers.last_drill(account) for account in await emergency_on_file(land)]
        await _an_hour_later(land)
        made = {account.customer for account in accounts}
        evidence = Evidence(
            gathered_at=at,
            asked=tuple(crowd.asked),
            done=tuple(crowd.done),
            outages=tuple(log.entries),
            sightings=tuple(watch.sightings),
            before=before,
            after=await _everybody(land),
            register=tuple(await register_on_file(land)),
            emergency=tuple(accounts),
            without_emergency=tuple(name for name in land.customers if wanted and name not in made),
            standing_open=tuple(watch.standing),
            last_look=watch.last_look,
            grants=tuple(grants),
            unsettled=frozenset(grant.request_id for grant in await grants_on_file(land) if not grant.settled_at),
            receipts=receipts,
            runs=tuple(runs),
            interventions=tuple(interventions),
            standing=tuple(await list_alarms(TESTER, land.app, limit=1000)),
            journal=tuple(watch.journal),
            tenant_ids={customer_id(customer): customer for customer in land.customers},
            reconciled_every=RECONCILE_EVERY,
            crowding=watch.crowding,
        )
        took = asyncio.get_running_loop().time() - began
        storm = Storm(
            seed,
            size.seconds,
            took,
            watch.looks,
            weather.happened,
            weather.calls_struck,
            crowd.unheard,
            keepers.done,
        )
        return storm, evidence


async def _everybody(land: Land) -> dict[str, list[Person]]:
    return {customer: await land.people(customer) for customer in land.customers}


async def _calm(land: Land, crowd: Crowd, watch: Watch, *, wait_for_reconciler: bool) -> None:
    """Wait until nothing is left to wait for: no workflow runs, and nothing that an operator has to mend."""
    fewest, patient_until = len(crowd.asked) + 1, now()
    while True:
        runs = await runs_in_temporal(land, crowd.asked)
        unfinished = {run.request_id for run in runs if run.over is None}
        over = {run.request_id for run in runs} - unfinished
        left = len(crowd.asked) - len(over)
        if wait_for_reconciler and not left:
            always_open = {account.account for account in await emergency_on_file(land)}
            closing = {row.account for row in await register_on_file(land)} - always_open
            left = sum(sighting.account in closing for sighting in watch.sees_open)
        if left < fewest:
            fewest, patient_until = left, now() + NOTHING_MORE_COMES
        if not left or now() > patient_until:
            return
        for grant in await grants_on_file(land):
            if grant.parked_at:
                with suppress(Exception):
                    await end_access(operator("an operator"), land.app, grant.request_id, "the storm is over")
        await asyncio.sleep(1)


async def _an_hour_later(land: Land) -> None:
    """The same reconciliation as every worker's, as it would be when terminated grants count as lapsed."""
    ahead = PROVISIONING_WINDOW + SETTLED_AFTER + timedelta(minutes=1)

    def later() -> datetime:
        return now() + ahead

    async with App(land.settings, clock=later) as app:
        await reconcile(TESTER, app)
