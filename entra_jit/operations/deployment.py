"""A deployment as its operators' programs see it: the ledger, the keys, and Temporal once it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from entra_jit.accounts.alarms import Alarms, Announcer, Unannounced
from entra_jit.accounts.workplace import graph_of
from entra_jit.crypto.assertions import assert_actor
from entra_jit.crypto.keyring import Keyring
from entra_jit.graph import Graph
from entra_jit.ledger.configuration import all_tenants
from entra_jit.ledger.database import Ledger
from entra_jit.ledger.event_stream import EventStream
from entra_jit.settings import RECONCILE_EVERY, Settings
from entra_jit.temporal.codec import SealingCodec
from entra_jit.temporal.connect import connect
from models.errors import UnreachableError
from models.message import Message
from models.messages import Assertion, GrantStatus
from models.names import workflow_id


@dataclass
class Deployment:
    """What operations work with. ``clock`` is aware, UTC."""

    ledger: Ledger
    keyring: Keyring
    task_queue: str
    seals_history: bool = False
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    client: Client | None = None
    announcer: Announcer = field(default_factory=Unannounced)
    reconcile_every: timedelta = RECONCILE_EVERY
    open_graph: Callable[[], Graph] = Graph
    """The door to Microsoft, for what must be looked up in a tenant before it is written down."""
    alarms: Alarms = field(init=False)
    events: EventStream = field(init=False)
    """What happens from now on, for everyone in this process who follows it."""

    def __post_init__(self) -> None:
        """Alarms are raised and ended here, too."""
        self.alarms = Alarms(self.ledger, self.announcer)
        self.events = EventStream(self.ledger)

    async def engine(self) -> Client:
        """Temporal, connected at first need: what only reads the ledger works without it."""
        if self.client is None:
            self.client = await connect(SealingCodec(self.keyring, seals=self.seals_history))
        return self.client

    async def workflow_of(self, request_id: str) -> WorkflowHandle[Any, GrantStatus]:
        """The workflow of a request, whether or not it exists."""
        client = await self.engine()
        return client.get_workflow_handle(workflow_id(request_id), result_type=GrantStatus)

    def sign(self, actor: str, message: Message) -> Assertion:
        """The assertion that ``actor``, whom the caller has authenticated, sends ``message`` now."""
        return assert_actor(self.keyring, actor, message, self.clock())

    async def is_configured(self) -> bool:
        """Whether any tenant was ever connected."""
        async with self.ledger.transaction() as session:
            return bool(await all_tenants(session))


@asynccontextmanager
async def open_deployment(settings: Settings) -> AsyncIterator[Deployment]:
    """The deployment that the settings name. Raises ``SettingsError``, or ``UnreachableError``: also for what Temporal
    answers to a call that no operation expects."""
    keyring = Keyring.parse(settings.keys.get_secret_value())
    try:
        async with Ledger(settings.database_url, pool_size=2) as ledger:
            deployment = Deployment(
                ledger,
                keyring,
                settings.task_queue,
                settings.seal_history,
                reconcile_every=settings.reconcile_every,
                open_graph=partial(graph_of, settings),
            )
            yield deployment
            await deployment.alarms.said()
    except RPCError as error:
        raise UnreachableError(f"Temporal refused: {error.message}") from None
