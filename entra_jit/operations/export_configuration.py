"""Write the configuration that is in force as a file, which `apply` reads again."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.configuration_file import write
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import configuration_versions
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.errors import NotFoundError


@asks(Verb.EXPORT_CONFIGURATION)
async def export_configuration(actor: Actor, app: App) -> str:
    """The file, YAML, with the names of secrets and none of them. Raises ``NotFoundError``: nothing was applied yet."""
    async with app.ledger.transaction() as session:
        version = await configuration_versions.newest(session)
    if version is None:
        raise NotFoundError("No configuration was applied yet.", advice="`apply FILE` applies one.")
    return write(version.configuration)
