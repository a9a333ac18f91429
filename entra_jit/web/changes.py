"""From a form to the page that shows what it would do. Changes travel in its address, and are saved from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from entra_jit.app import App
from entra_jit.identity.authorize import Verb, may
from entra_jit.operations.show_configuration import ShownConfiguration, show_configuration
from entra_jit.policy.configuration_edits import Edit, write_edits
from entra_jit.policy.entitlement import AttributeRule, AttributeTest
from entra_jit.policy.roles import assignable_roles, describe_role, find_role, is_common, is_privileged
from entra_jit.web.rendering import SAVED
from entra_jit.web.visitors import Visitor
from models.errors import BadInputError

PREVIEW = "/configuration/preview"


@dataclass(frozen=True)
class Editing:
    """The configuration that a page shows, and whether this person may change it there."""

    shown: ShownConfiguration
    may_edit: bool


async def editing(visitor: Visitor, app: App) -> Editing:
    """What is in force."""
    shown = await show_configuration(visitor.actor, app)
    return Editing(shown, may(visitor.actor, Verb.APPLY_CONFIGURATION) and not shown.is_a_file)


def to_preview(edits: Sequence[Edit], version: int, back: str) -> RedirectResponse:
    """``version``: the one that the form was filled in for; ``back``: where to go once it is saved."""
    return RedirectResponse(preview_address(edits, version, back), status_code=303)


def preview_address(edits: Sequence[Edit], version: int, back: str) -> str:
    """Where the preview of these edits is."""
    return f"{PREVIEW}?{urlencode({'edits': write_edits(edits), 'version': version, 'back': back})}"


def saved_address(back: str, event_id: int) -> str:
    """Where to go once a change is saved: the page there says what, by whom, and as which event."""
    return f"{back}{'&' if '?' in back else '?'}{urlencode({SAVED: event_id})}"


def by_lines(text: str) -> tuple[str, ...]:
    """The lines of a field, without spaces around them and without empty ones: a value may have commas."""
    return tuple(filter(None, map(str.strip, text.splitlines())))


def read_attributes(text: str) -> dict[str, str]:
    """One ``name: value`` a line. Raises ``BadInputError``."""
    found: dict[str, str] = {}
    for line in by_lines(text):
        name, separator, value = (part.strip() for part in line.partition(":"))
        if not separator or not value or name in found:
            raise BadInputError("attributes: one a line, each once, as in site: Basel")
        found[name] = value
    return found


def read_rules(attributes: Sequence[str], tests: Sequence[str], values: Sequence[str]) -> tuple[AttributeRule, ...]:
    """The rows of the form in which an attribute is named. Raises ``BadInputError``."""
    rules: dict[str, AttributeRule] = {}
    for attribute, test, given in zip(attributes, tests, values, strict=False):
        name = attribute.strip()
        if not name:
            continue
        if name in rules:
            raise BadInputError(f"{name}: one rule an attribute; write its values one a line")
        if test not in set(AttributeTest):
            raise BadInputError("A rule compares by one_of or prefix.")
        wanted = by_lines(given) if test == AttributeTest.ONE_OF else (given.strip(),)
        if not wanted or not wanted[0]:
            raise BadInputError(f"{name}: a value is missing")
        rules[name] = AttributeRule(name, AttributeTest(test), wanted)
    return tuple(rules.values())


@dataclass(frozen=True)
class OfferedRole:
    """A directory role to choose."""

    name: str
    description: str
    privileged: bool
    is_chosen: bool
    is_common: bool


class RoleChoice(BaseModel):
    """What a choice of roles sends: those that are ticked, and what to search by where no script does it."""

    role: list[str] = Field(default_factory=list)
    find: str = ""
    finding: str = ""
    """Not empty: *Find* was pressed, which shows the form again."""

    def offered(self) -> list[OfferedRole]:
        """The roles to choose from; while one is searched for, those ticked and those that have all its words."""
        words = self.find.lower().split() if self.finding else []
        return [
            one
            for one in offered_roles(self.role)
            if one.is_chosen or all(word in f"{one.name} {one.description}".lower() for word in words)
        ]


def offered_roles(chosen: Sequence[str]) -> list[OfferedRole]:
    """Every role that may be mapped: those chosen first, then common ones. Custom ones that are chosen stay."""
    ids = {find_role(one).id for one in chosen}
    listed = assignable_roles()
    roles = {item.id: item for item in listed.values()} | {id: find_role(id) for id in ids}
    offered = [
        OfferedRole(
            name=item.name if item.id in listed else item.id,
            description=describe_role(item),
            privileged=is_privileged(item),
            is_chosen=item.id in ids,
            is_common=is_common(item),
        )
        for item in roles.values()
    ]
    return sorted(offered, key=lambda one: (not one.is_chosen, not one.is_common, one.name))
