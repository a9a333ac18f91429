"""Names in a file agree: each is declared once, and what is referred to is declared."""

from __future__ import annotations

from collections.abc import Callable
from operator import eq
from uuid import UUID

from entra_jit.configuration_file.entry import Entry
from entra_jit.configuration_file.mistakes import Mistakes, Place
from entra_jit.policy.entitlement import ALL_TECHNICIANS, AttributeRule, AttributeTest
from models.errors import quoted
from models.marks import RESERVED_NAMES


class Names:
    """All names of a file, and what refers to them. References are judged in the end: they may stand above."""

    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes
        self._places: dict[tuple[str, str, object], Place] = {}
        self._security_groups: dict[str, set[str]] = {}
        self._attributes: dict[str, set[str]] = {}
        self._references: list[tuple[str, Place, str]] = []
        self._given: list[tuple[str | None, Place, str]] = []
        self._selected: list[tuple[Place, AttributeRule]] = []

    def declare(self, entry: Entry, kind: str, name: str | None, entry_id: UUID | None = None) -> None:
        """An entry has this name and id; no other of its kind may."""
        if kind == "technician" and (name in RESERVED_NAMES.values() or str(entry_id) in RESERVED_NAMES):
            # The message quotes no name: either of the two may be the reserved one.
            self._mistakes.note(
                entry.place("name"), "this name or id belongs to the doctor's canary or an emergency account"
            )
        for key, value in (("name", name), ("id", entry_id)):
            place = entry.place(key)
            if value is not None and (first := self._places.setdefault((kind, key, value), place)) != place:
                self._mistakes.note(place, f"another {kind} has the {key} {quoted(str(value))}, in line {first.line}")

    def declare_security_groups(self, tenant: str, names: set[str]) -> None:
        """A tenant lists these."""
        self._security_groups[tenant] = names

    def declare_attribute(self, attribute: str, value: str) -> None:
        """A technician has it."""
        self._attributes.setdefault(attribute, set()).add(value)

    def refer(self, kind: str, place: Place, name: str) -> None:
        """An entry of this kind is meant."""
        self._references.append((kind, place, name))

    def refer_to_security_group(self, tenant: str | None, place: Place, name: str) -> None:
        """A security group of this tenant, or (None) of each, is given."""
        self._given.append((tenant, place, name))

    def refer_to_attribute(self, place: Place, rule: AttributeRule) -> None:
        """All technicians are meant for whom the rule holds."""
        self._selected.append((place, rule))

    def agree(self) -> None:
        """Note every reference to what is not there."""
        self._places[("group", "name", ALL_TECHNICIANS)] = Place(0, "")
        for kind, place, name in self._references:
            if (kind, "name", name) not in self._places:
                self._mistakes.note(place, f"{quoted(name)} is not a {kind} in this file")
        for tenant, place, name in self._given:
            self._agree_on_security_group(tenant, place, name)
        for place, rule in self._selected:
            self._agree_on_attribute(place, rule)

    def _agree_on_security_group(self, tenant: str | None, place: Place, name: str) -> None:
        listed = self._security_groups if tenant is None else {tenant: self._security_groups.get(tenant, {name})}
        without = next((one for one, names in listed.items() if name not in names), None)
        if without is not None:
            self._mistakes.note(place, f"{quoted(name)} is not a security group of {without} in this file")

    def _agree_on_attribute(self, place: Place, rule: AttributeRule) -> None:
        there = self._attributes.get(rule.attribute)
        if there is None:
            self._mistakes.note(place, f"no technician has the attribute {quoted(rule.attribute)}")
            return
        passes: Callable[[str, str], bool] = eq if rule.test is AttributeTest.ONE_OF else str.startswith
        for value in rule.values:
            if any(passes(one, value) for one in there):
                continue
            # A value that no technician has is a group without members for now; one that differs in case is a slip.
            if other := next((one for one in sorted(there) if passes(one.casefold(), value.casefold())), None):
                self._mistakes.note(place, f"{quoted(value)} is written {quoted(other)} at technicians")
