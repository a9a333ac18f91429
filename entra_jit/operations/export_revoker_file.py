"""Write the file that the revoker reads: every tenant that was ever connected, and what verifies marks."""

from __future__ import annotations

import json
from pathlib import Path

from entra_jit.app import App
from entra_jit.crypto.narrow_keyring import RevokerKeyring
from entra_jit.identity.authorize import Verb
from entra_jit.ledger.configuration import all_tenants
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.errors import NotFoundError
from models.tables import Tenant


@asks(Verb.EXPORT_REVOKER_FILE)
async def export_revoker_file(actor: Actor, app: App, *, client_id: str, certificate_file: Path) -> str:
    """The file, TOML. It holds no secret. ``client_id``: the revoker's own application, which proves itself by
    ``certificate_file`` on the revoker's machine. Raises ``NotFoundError``: no tenant is connected."""
    async with app.ledger.transaction() as session:
        tenants = [tenant for tenant in await all_tenants(session) if tenant.disconnected_at is None]
    if not tenants:
        raise NotFoundError("No tenant is connected.")
    settings = app.settings
    common: dict[str, object] = {
        "installation": settings.installation,
        "keys": RevokerKeyring.derived(app.keyring).get_secret_value(),
        "graph_url": settings.graph_url,
        "login_url": settings.login_url,
        "sandbox": settings.profile == "sandbox",
    }
    if settings.ca_file is not None:
        common["ca_file"] = str(settings.ca_file)
    application = {"client_id": client_id, "certificate_file": str(certificate_file)}
    return "\n".join([*_lines(common), "", "[application]", *_lines(application), *map(_section, tenants), ""])


def _section(tenant: Tenant) -> str:
    entry = {"id": str(tenant.id), "account_prefix": tenant.account_prefix}
    return "\n".join(["", f"[tenants.{json.dumps(tenant.name)}]", *_lines(entry)])


def _lines(entries: dict[str, object] | dict[str, str]) -> list[str]:
    # Strings of JSON are strings of TOML, too, and so are its booleans.
    return [f"{name} = {json.dumps(value)}" for name, value in entries.items()]
