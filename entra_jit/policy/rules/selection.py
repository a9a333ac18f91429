"""A request may want less than the role mappings give, and never gets anything that they do not give."""

from __future__ import annotations

from collections.abc import Sequence

from entra_jit.policy.roles import find_role
from models.errors import BadInputError, quoted
from models.messages import AccessItem, AccessRequest


def wanted(request: AccessRequest, entitled: Sequence[AccessItem]) -> tuple[AccessItem, ...]:
    """Those of ``entitled`` that the request names, in their order; all of them where it names none."""
    named = request.access
    return tuple(item for item in entitled if named is None or any(item.is_called(name) for name in named))


def refuse(request: AccessRequest, entitled: Sequence[AccessItem]) -> str | None:
    """Refuses an empty selection, and every name that is not exactly one of ``entitled``."""
    if request.access is None:
        return None
    if not request.access:
        return "No role was selected. Select at least one."
    lines = (_refuse_one(name, request, entitled) for name in request.access)
    return next((line for line in lines if line), None)


def _refuse_one(name: str, request: AccessRequest, entitled: Sequence[AccessItem]) -> str | None:
    found = [item for item in entitled if item.is_called(name)]
    if len(found) == 1:
        return None
    if found:
        alike = ", ".join(f"{item.words} {item.id}" for item in found)
        return f"{quoted(name)} may be any of these; name one by its id: {alike}."
    possible = ", ".join(item.words for item in entitled)
    return f"{_unknown(name)}{request.technician} may have in {request.tenant}: {possible}."


def _unknown(name: str) -> str:
    """What is wrong with a name, where that is known; a role that was renamed is told."""
    try:
        return f"No role mapping gives {quoted(find_role(name).name)}. "
    except BadInputError as error:
        return f"{error}. "
