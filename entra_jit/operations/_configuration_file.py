"""A configuration file on this machine, with the secrets that it names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import SecretStr, ValidationError

from entra_jit.accounts.directories import credential_of
from entra_jit.configuration_file import ConfigurationFile, read
from entra_jit.policy.configuration import Application, SecretSource
from entra_jit.settings import environment_secret
from models.errors import BadInputError

LARGEST = 10 * 1024 * 1024
"""Bytes of a file. One of 5,000 mappings has half a megabyte; devices have no end."""


def read_configuration(file: Path, *, has_own: bool = False) -> ConfigurationFile:
    """The file, whole. Raises ``BadInputError`` with file, line and what is allowed for each mistake in it.

    ``has_own``: the settings have the MSP's own applications, so that a tenant needs no registration.
    """

    # Applications often share one secret, whose key is costly to read.
    @cache
    def proof_of(application: Application) -> SecretStr | None:
        return _proof(application, file.parent)

    return read(_content(file), str(file), proof_of, has_own=has_own)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise BadInputError(f"{file} is larger than 10 MB")
    return content


def _proof(application: Application, folder: Path) -> SecretStr | None:
    """The credential, tried; None where the file leaves it to the ledger. No error quotes any of it."""
    source = application.secret or application.certificate
    if source and source.stored:
        return None
    return usable_proof(application, _read(source, folder) if source else None)


def usable_proof(application: Application, entered: SecretStr | None) -> SecretStr:
    """The credential, tried: what was ``entered``, or the path of the token file. Raises ``BadInputError``."""
    proof = entered or SecretStr(str(application.federated_token_file))
    try:
        credential_of(application.kind, proof)
    except ValidationError as error:
        raise BadInputError(error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")) from None
    return proof


def _read(source: SecretSource, folder: Path) -> SecretStr:
    if source.env is not None:
        try:
            return environment_secret(source.env)
        except ValueError as error:
            raise BadInputError(str(error)) from None
    path = folder / Path(source.file or "").expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{path} is not UTF-8; save it as UTF-8") from None
    if not text:
        raise BadInputError(f"{path} is empty")
    return SecretStr(text)
