"""What worker and closer need to start while PostgreSQL is away: live grants, their marks, revoking credentials.

One sealed file, readable by its owner alone. Its age does not count, and nothing is widened by it: the marks in the
directories decide whether a grant in it is over.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

import structlog
from pydantic import BaseModel, JsonValue, SecretStr, TypeAdapter

from entra_jit.crypto.keyring import Keyring, Purpose
from entra_jit.crypto.sealing import Sealed, seal_bytes, unseal_bytes
from entra_jit.graph import Connection
from entra_jit.ledger.due import Due
from models.errors import SettingsError

BELONGS_TO = "a worker or closer"

OLD_AFTER_SECONDS = 3600.0
"""It is only said: what is in an old file is closed all the same, where its marks are past."""

_GRANTS = TypeAdapter(tuple[Due, ...])

_log = structlog.get_logger("sealed cache")


class _Content(BaseModel):
    grants: tuple[Due, ...]
    connections: tuple[Connection, ...]


class SealedCache:
    """The file. ``path`` None: nothing is kept."""

    def __init__(self, path: Path | None, keyring: Keyring) -> None:
        self._path = path
        self._keyring = keyring
        self._written: str | None = None

    def read(self) -> tuple[tuple[Due, ...], tuple[Connection, ...]]:
        """What was kept last; nothing where there is no such file, or where it cannot be opened, which is logged."""
        if self._path is None or not self._path.exists():
            return (), ()
        try:
            key_id, _, ciphertext = self._path.read_bytes().partition(b"\n")
            sealed = Sealed(key_id.decode(), ciphertext)
            content = _Content.model_validate_json(
                unseal_bytes(self._keyring, Purpose.SEALED_CACHE, sealed, BELONGS_TO)
            )
        except (OSError, ValueError, SettingsError) as error:
            _log.warning("not read", error=type(error).__name__)
            return (), ()
        age = time.time() - self._path.stat().st_mtime
        if age > OLD_AFTER_SECONDS:
            _log.warning("old", hours=round(age / 3600, 1))
        return content.grants, content.connections

    def keep(self, grants: Iterable[Due], connections: Iterable[Connection]) -> None:
        """Replace what is kept, in one step, where it has changed. A disk that is full is logged."""
        if self._path is None:
            return
        text = json.dumps(
            {"grants": _GRANTS.dump_python(tuple(grants), mode="json"), "connections": [*map(_revealed, connections)]}
        )
        if text == self._written:
            return
        sealed = seal_bytes(self._keyring, Purpose.SEALED_CACHE, text.encode(), BELONGS_TO)
        new = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")  # several processes may share a volume
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(sealed.key_id.encode() + b"\n" + sealed.ciphertext)
            new.replace(self._path)
        except OSError as error:
            _log.warning("not written", error=str(error))
            return
        self._written = text


def _revealed(connection: Connection) -> dict[str, JsonValue]:
    """The connection with its secrets, which are shown nowhere else."""
    shown: dict[str, JsonValue] = connection.model_dump(mode="json")
    opened = {name: value.get_secret_value() for name, value in connection.credential if isinstance(value, SecretStr)}
    return {**shown, "credential": {**connection.credential.model_dump(mode="json"), **opened}}
