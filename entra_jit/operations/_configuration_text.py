"""A configuration as a page has it: whole, as YAML, with most of its secrets left to the ledger."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.configuration_file import ConfigurationFile, read
from entra_jit.operations._configuration_file import usable_proof
from entra_jit.policy.configuration import Application

PAGE = "configuration"
"""What mistakes are said to stand in; the lines are those of the text."""


def read_text(app: App, content: str, secrets: Mapping[str, SecretStr] | None = None) -> ConfigurationFile:
    """The text, whole. ``secrets``: those that were entered with it, by client id; others stay as they are stored.

    Raises ``BadInputError``, a line a mistake.
    """

    def entered(application: Application) -> SecretStr | None:
        secret = (secrets or {}).get(str(application.client_id))
        # The path of a token file is no secret: it stands in the text, and may have been changed there.
        return usable_proof(application, secret) if secret or application.kind == "federated" else None

    return read(content.encode(), PAGE, entered, has_own=app.settings.elevate is not None)
