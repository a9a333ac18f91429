"""One request's way through the sandbox: faults first, then the service, the store, the journal, the answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from sandbox.audit import log, sign_ins
from sandbox.audit.activity import Author
from sandbox.clock import Clock, ticks
from sandbox.delivery import Dropped, Manner, deliver
from sandbox.directory.directory import Directory
from sandbox.directory.passing_time import catch_up
from sandbox.exchange import Answer, Exchange
from sandbox.faults import Fault, Faults, damaged, graph_answer, sign_in_answer
from sandbox.graph import batch
from sandbox.graph.call import Actor
from sandbox.graph.errors import GraphError
from sandbox.graph.service import VERSIONS, GraphService, with_headers
from sandbox.identity.behaviour import SignInBehaviour
from sandbox.identity.propagation import Propagation
from sandbox.identity.service import SignInService
from sandbox.identity.signing import KeyRing
from sandbox.identity.tokens import Tokens
from sandbox.journal import Entry, Journal
from sandbox.lag import Lag
from sandbox.planting import plant
from sandbox.replication import Replication
from sandbox.seed import Seed
from sandbox.store import Store
from sandbox.throttling import Throttling

_LARGEST_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sandbox behaves from its start, and again after a reset. ``seed`` is that of all its random choices."""

    lag: Lag | None = None
    throttle: float | None = None
    """Microsoft's limits times this; None: no limits."""
    seed: int = 1


class Sandbox:
    """Everything that one sandbox is, behind one ASGI application."""

    def __init__(self, state: Path, seed: Seed, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self.clock = Clock()
        self.replication = Replication(self.clock, self._settings.lag, self._settings.seed)
        self.throttling = Throttling(self.clock, self._settings.throttle)
        self.faults = Faults()
        self.journal = Journal()
        self.sign_in_behaviour = SignInBehaviour(seed.sign_in_service)
        self.propagation = Propagation(self.clock, self.sign_in_behaviour)
        self.tokens = Tokens(KeyRing(state), self.clock, self.sign_in_behaviour, self.propagation)
        self._seed = seed
        self._store = Store(state / "directory.jsonl")
        known = self._store.load()
        self.directory = Directory()
        self._furnish(known or plant(seed))
        self.control: Starlette | None = None

    def reset(self) -> None:
        """Back to the seed: tenants as on the first day, no faults, no journal, the machine's time, lag as at first."""
        self.clock.reset()
        self.sign_in_behaviour.set(self._seed.sign_in_service)
        self.propagation.forget()
        self.tokens.retire_keys()
        self.replication.set(self._settings.lag)
        self.replication.reseed(self._settings.seed)
        self.throttling.set(self._settings.throttle)
        self.faults.remove()
        self.journal.clear()
        self._furnish(plant(self._seed))

    def sow(self, seed: Seed) -> None:
        """Begin with another seed, now and after each reset."""
        self._seed = seed
        self.reset()

    def commit(self, author: Author | None = None, exchange: Exchange | None = None, app_id: str | None = None) -> bool:
        """Write down, and into the tenants' own logs, what has changed since the last time; whether anything had.

        Without an ``author`` it was the control interface, as the administrator of the tenant concerned.
        """
        sign_ins.record(self.directory, exchange, app_id)
        changes = self.directory.take_changes()
        if not changes:
            return False
        self.propagation.notice(changes)
        log.record(self.directory, changes, author or log.control_author(self.clock))
        self._store.append(changes + self.directory.take_changes())
        return any(change.table not in log.LOGS for change in changes)

    def catch_up(self, tenant_id: str | None = None) -> None:
        """Let happen what has fallen due by the clock in a tenant (None: in all)."""
        tenants = self.directory.tenants
        for tenant in tenants.values() if tenant_id is None else filter(None, [tenants.get(tenant_id)]):
            catch_up(tenant, self.clock.now())
        self.commit(log.time_author(self.clock))

    def close(self) -> None:
        """Stop writing to the state directory."""
        self._store.close()

    def _furnish(self, directory: Directory) -> None:
        self.directory = directory
        self.replication.watch(directory)
        self.graph = GraphService(directory, self.tokens, self.replication, self.throttling)
        self.sign_in = SignInService(directory, self.tokens, self.clock, self.sign_in_behaviour)
        self._store.rewrite(directory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox speaks HTTP only, not {scope['type']}")
        if self.control is not None and scope["path"].startswith("/sandbox"):
            await self.control(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return
        outcome, manner = await self._serve(_exchange(scope, body, self.clock))
        await deliver(outcome, manner, scope, receive, send)

    async def _serve(self, exchange: Exchange) -> tuple[Answer | Dropped, Manner]:
        actor: Actor | None = None
        is_graph = exchange.segments[:1] != [] and exchange.segments[0].lower() in VERSIONS
        if is_graph:
            actor = self.graph.actor(exchange)
            tenant_id, app_id = (actor.tenant_id, actor.app_id) if actor else (None, None)
            path = "/" + exchange.path.lstrip("/").partition("/")[2]
        else:
            tenant_id, app_id = self.sign_in.tenant_and_app(exchange)
            path = exchange.path
        fault = self.faults.meet(exchange, path, self._names(tenant_id), app_id)
        self.catch_up(tenant_id)
        if fault is not None and fault.specification.delay:
            await fault.hold_up(fault.specification.delay)
            # What it does is dated when it does it: a late revocation ends sessions that began meanwhile.
            exchange.at = self.clock.now()
        if is_graph and batch.is_batch(exchange) and (fault is None or fault.specification.lets_through):
            outcome = await self._batch(exchange, fault)
        else:
            outcome = self._outcome(exchange, fault, is_graph=is_graph)
        effect = self.commit(self._author(exchange, actor), exchange, app_id)
        self.journal.add(
            Entry(
                sequence=self.journal.next_sequence(),
                time=ticks(exchange.at),
                tenant=tenant_id,
                app_id=app_id,
                method=exchange.method,
                path=exchange.path + (f"?{exchange.query_string}" if exchange.query_string else ""),
                status=outcome.status if isinstance(outcome, Answer) else None,
                fault=fault.id if fault else None,
                request_id=exchange.request_id,
                client_request_id=exchange.client_request_id,
                effect=effect,
            )
        )
        if fault is None or isinstance(outcome, Dropped):
            return outcome, Manner()
        wanted = fault.specification
        drips = fault if wanted.drip is not None else None
        return damaged(outcome, wanted), Manner(cut=wanted.body == "truncated", drips=drips)

    def _author(self, exchange: Exchange, actor: Actor | None) -> Author:
        if actor is None:
            return log.sign_in_author(exchange)
        return log.graph_author(self.directory, actor, exchange)

    async def _batch(self, exchange: Exchange, fault: Fault | None) -> Answer | Dropped:
        async def serve(part: Exchange) -> Answer | None:
            outcome, _ = await self._serve(part)
            return outcome if isinstance(outcome, Answer) else None

        try:
            self.graph.require_actor(exchange)
            answer = await batch.answer(exchange, batch.parts_of(exchange), serve)
        except GraphError as refusal:
            answer = refusal.answer(exchange)
        dropped = fault is not None and fault.specification.drop == "after"
        return Dropped() if dropped else with_headers(answer, exchange)

    def _outcome(self, exchange: Exchange, fault: Fault | None, *, is_graph: bool) -> Answer | Dropped:
        wanted = fault.specification if fault else None
        if wanted is not None and wanted.drop == "before":
            return Dropped()
        if wanted is not None and wanted.status is not None:
            if is_graph:
                return with_headers(graph_answer(wanted, exchange), exchange)
            return _with_sign_in_headers(sign_in_answer(wanted, exchange), exchange)
        if is_graph:
            answer = self.graph.answer(exchange)
        else:
            answer = _with_sign_in_headers(self.sign_in.answer(exchange), exchange)
        return Dropped() if wanted is not None and wanted.drop == "after" else answer

    def _names(self, tenant_id: str | None) -> set[str]:
        """All names by which a fault may mean this tenant."""
        if tenant_id is None or (tenant := self.directory.tenants.get(tenant_id)) is None:
            return set()
        return {tenant.id, tenant.organization.slug, *(domain.name for domain in tenant.organization.domains)}


def _with_sign_in_headers(answer: Answer, exchange: Exchange) -> Answer:
    is_discovery = exchange.path.endswith("/openid-configuration")
    kept = "private" if answer.status >= 400 else "max-age=86400, private"
    answer.headers |= {
        "Cache-Control": kept if is_discovery else "no-store, no-cache",
        "Pragma": "no-cache",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "x-ms-request-id": exchange.request_id,
        "client-request-id": exchange.client_request_id,
    }
    if answer.body is not None:
        answer.headers.setdefault("Content-Type", "application/json; charset=utf-8")
    return answer


def _exchange(scope: Scope, body: bytes, clock: Clock) -> Exchange:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Exchange(
        method=scope["method"],
        path=scope["raw_path"].decode("ascii"),
        query_string=scope["query_string"].decode("ascii"),
        headers=headers,
        body=body,
        at=clock.now(),
        origin=f"https://{headers.get('host', 'localhost')}",
    )


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if the caller went away while sending it."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False) or sum(map(len, parts)) > _LARGEST_BODY:
            return b"".join(parts)
