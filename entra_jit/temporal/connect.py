"""Connecting to Temporal: its own settings (``TEMPORAL_*``, profiles, TLS, API keys) by its own loader."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError

from entra_jit.temporal.codec import SealingCodec
from entra_jit.temporal.plugin import entra_jit_plugin
from models.errors import SettingsError, UnreachableError

DEFAULT_ADDRESS = "localhost:7233"


class EngineUnreachableError(UnreachableError):
    """Temporal cannot be reached, or refuses us; the sentence names the address."""


async def connect(codec: SealingCodec | None = None, runtime: Runtime | None = None) -> Client:
    """A client of the Temporal that the environment names, self-hosted or Temporal Cloud.

    Raises ``SettingsError`` or ``EngineUnreachableError``.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except Exception as error:
        # The first line says where; the others quote what stands there, which may be an API key.
        said = str(error).splitlines()[0]
        raise SettingsError(f"Temporal's settings (TEMPORAL_*) cannot be used: {said}") from None
    config.setdefault("target_host", DEFAULT_ADDRESS)
    try:
        return await Client.connect(**config, plugins=[entra_jit_plugin(codec)], runtime=runtime)
    except (RPCError, RuntimeError) as error:
        raise EngineUnreachableError(
            f"Temporal at {config['target_host']} cannot be reached: {str(error).splitlines()[0]}"
        ) from None
