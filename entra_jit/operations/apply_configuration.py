"""Apply a configuration file: tenants, technicians, groups and role mappings, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast
from uuid import UUID

import structlog
import yaml
from pydantic import SecretStr, ValidationError

from entra_jit.accounts.directories import credential_of
from entra_jit.app import App
from entra_jit.identity.authorize import Verb, authorize
from entra_jit.ledger import configuration as configurations
from entra_jit.ledger import reconciliation
from entra_jit.ledger.fences import fence_departed
from entra_jit.operations._check_security_groups import check_security_groups
from entra_jit.policy.configuration import Application, Configuration, PurposeName, SecretSource
from entra_jit.settings import environment_secret
from entra_jit.temporal.end_workflows import end_workflows
from models.actor import CONFIGURATION, Actor
from models.errors import BadInputError
from models.messages import EndAccess, SignedEnd

_log = structlog.get_logger("configuration")

Location = tuple[int | str, ...]


async def apply_configuration(actor: Actor, app: App, file: Path) -> Configuration:
    """Make the ledger's configuration what ``file`` says, and end what is open for whom it no longer has. Idempotent.

    Where Temporal does not answer, the reconciler closes that. An open grant whose access was remapped stays as it was
    granted, and cannot be extended. Security groups are looked at in their tenants first. Raises ``BadInputError``, a
    line a mistake.
    """
    authorize(actor, Verb.APPLY_CONFIGURATION)
    configuration, lines = read_configuration(file)
    proofs: dict[tuple[UUID, PurposeName], SecretStr] = {}
    for number, tenant in enumerate(configuration.tenants):
        for purpose, application in tenant.applications():
            try:
                proof = _proof(application, file.parent)
                credential_of(application.kind, proof)
                proofs[tenant.id, purpose] = proof
            except ValidationError as error:
                line = lines.line(("tenants", number, purpose))
                what = _what("", error.errors(include_input=False)[0]["msg"])
                raise BadInputError(f"{file}:{line}: tenant {tenant.name}, {purpose}: {what}") from None
            except ValueError as error:
                line = lines.line(("tenants", number, purpose))
                raise BadInputError(f"{file}:{line}: tenant {tenant.name}, {purpose}: {error}") from None
    await _expect_usable_groups(app, file, configuration, lines, proofs)
    async with app.ledger.transaction() as session:
        await configurations.apply(session, actor, app.keyring, configuration, proofs)
        await reconciliation.expect(session, [tenant.id for tenant in configuration.tenants], app.clock())
        left = await fence_departed(session, app.clock())
    if left:
        await _end(app, left)
    return configuration


async def _expect_usable_groups(
    app: App,
    file: Path,
    configuration: Configuration,
    lines: Lines,
    secrets: dict[tuple[UUID, PurposeName], SecretStr],
) -> None:
    if not any(tenant.security_groups for tenant in configuration.tenants):
        return
    async with app.ledger.transaction() as session:
        known = {mapping.item.id for mapping in await configurations.role_mappings(session)}
    unusable = await check_security_groups(app.graph, configuration, secrets, known)
    if unusable:
        raise BadInputError(
            "\n".join(
                f"{file}:{lines.line(('tenants', one.tenant, 'security_groups', one.group))}: "
                f"tenant {configuration.tenants[one.tenant].name}: {one.because}"
                for one in unusable
            )
        )


async def _end(app: App, left: dict[str, str]) -> None:
    """Have their own workflows close them at once; nothing opens for them in any case."""
    endings = {
        request_id: _signed(app, EndAccess(request_id=request_id, reason=why)) for request_id, why in left.items()
    }
    heard = await end_workflows(app.temporal, endings)
    for request_id, why in left.items():
        who = "its workflow" if request_id in heard.told else "the reconciler"
        _log.warning("grant ended", grant=request_id, because=why, closed_by=who)


def _signed(app: App, ending: EndAccess) -> SignedEnd:
    return SignedEnd(ending=ending, assertion=app.sign(CONFIGURATION, ending))


def read_configuration(file: Path) -> tuple[Configuration, Lines]:
    """The file, validated. Raises ``BadInputError`` with file, line and what is allowed for every mistake in it."""
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInputError(f"{file}:{line}: not YAML: {error.problem}") from None
    except (UnicodeDecodeError, yaml.reader.ReaderError) as error:
        raise BadInputError(f"{file}: not text: {error.reason}") from None
    lines = Lines(node)
    try:
        return Configuration.model_validate(content if content is not None else {}), lines
    except ValidationError as error:
        mistakes = [
            f"{file}:{lines.line(mistake['loc'])}: {_where(mistake['loc'])}{_what(mistake['type'], mistake['msg'])}"
            for mistake in error.errors()
        ]
        raise BadInputError("\n".join(mistakes)) from None


class Lines:
    """Where in a YAML file a value stands."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._root = root

    def line(self, location: Location) -> int:
        """The line, from 1, of the value at ``location``, or of the nearest that is there."""
        node = self._root
        line = node.start_mark.line if node else 0
        for part in location:
            node = _child(node, part)
            if node is None:
                break
            line = node.start_mark.line
        return line + 1


def _child(node: yaml.Node | None, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                # A list or mapping begins a line below its key; people look for the key.
                value.start_mark = value.start_mark if isinstance(value, yaml.ScalarNode) else key.start_mark
                return cast("yaml.Node", value)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return cast("yaml.Node", node.value[part])
    return None


def _where(location: Location) -> str:
    return "".join(_words(location)).rstrip(".") + ": " if location else ""


def _words(location: Location) -> Iterator[str]:
    for part in location:
        yield f"{part + 1}." if isinstance(part, int) else f"{part}."


def _what(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "unknown field"
    return message.removeprefix("Value error, ")


def _proof(application: Application, folder: Path) -> SecretStr:
    for source in (application.secret, application.certificate):
        if source is not None:
            return _read(source, folder)
    return SecretStr(str(application.federated_token_file))


def _read(source: SecretSource, folder: Path) -> SecretStr:
    if source.env is not None:
        return environment_secret(source.env)
    path = folder / Path(source.file or "").expanduser()
    try:
        return SecretStr(path.read_text().strip())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
