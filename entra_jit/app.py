"""The composition root of every program: worker, command line and portal open what they need through one ``App``.

Temporal's client is imported with its first use, as ``Backend`` does it with Graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entra_jit.accounts.alarms import Announcer
from entra_jit.accounts.backend import Backend, Clock
from entra_jit.ledger.configuration import all_tenants
from entra_jit.settings import Settings
from models.actor import Actor
from models.message import Message
from models.messages import Assertion, GrantStatus
from models.names import workflow_id

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHandle
    from temporalio.runtime import Runtime

    from entra_jit.temporal.codec import SealingCodec


class App(Backend):
    """A ``Backend`` that can also reach Temporal. Nothing is connected before it is used."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        announcer: Announcer | None = None,
        client: Client | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        """``client``: a Temporal that is connected already; ``runtime``: of the client that is made otherwise."""
        super().__init__(settings, clock=clock, announcer=announcer)
        self.client = client
        self.runtime = runtime

    @property
    def holds_keys(self) -> bool:
        """Whether this process can open what signs in to tenants. The portal cannot."""
        return self.settings.keys is not None

    @property
    def codec(self) -> SealingCodec:
        """Seals and opens what Temporal keeps, as the settings say."""
        from entra_jit.temporal.codec import SealingCodec

        return SealingCodec(self.keyring, seals=self.settings.seal_history)

    async def temporal(self) -> Client:
        """Temporal, connected when it is first needed. Raises ``SettingsError`` or ``EngineUnreachableError``."""
        from entra_jit.temporal.connect import connect

        if self.client is None:
            self.client = await connect(self.codec, self.runtime)
        return self.client

    async def workflow_of(self, request_id: str) -> WorkflowHandle[Any, GrantStatus]:
        """The workflow of a request, whether or not it exists."""
        client = await self.temporal()
        return client.get_workflow_handle(workflow_id(request_id), result_type=GrantStatus)

    async def is_configured(self) -> bool:
        """Whether any tenant was ever connected."""
        async with self.ledger.transaction() as session:
            return bool(await all_tenants(session))

    def sign(self, actor: Actor, message: Message) -> Assertion:
        """The assertion that ``actor``, whom the caller has authenticated, sends ``message`` now."""
        from entra_jit.crypto.assertions import assert_actor

        return assert_actor(self.keyring, actor, message, self.clock())
