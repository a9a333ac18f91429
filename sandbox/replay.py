"""Put a recording of a real tenant to a sandbox, and tell where the sandbox answers otherwise.

A recording (``tenant doctor --record``) has a line of JSON for each request and its answer, with ids and texts folded.
What they stand for here is learnt from the sandbox's own answers. Compared are status, error code and shape: which
properties there are, and of which kind; not how many objects a tenant has.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from sandbox.app import Sandbox
from sandbox.exchange import Json
from sandbox.seed import Seed, SeedTenant, load_seed

_WORD = r"00000000-0000-4000-8000-\d{12}|text-\d+"
_FOLDED = re.compile(_WORD)
_PASSING = frozenset({429, 500, 502, 503, 504})
"""Answers to the moment, not to the request."""
_LEFT_OUT = "(left out)"
_PASSWORD = "Replayed-password-1"  # of an account in a sandbox that ends with the replay
_OF_VOLUME = frozenset({"@odata.nextLink", "@odata.count"})


class RecordingError(Exception):
    """A line that is no recorded request; the sentence says which."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the sandbox answers otherwise."""

    line: int
    request: str
    what: str

    def __str__(self) -> str:
        return f"{self.line}: {self.request}: {self.what}"


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay came to."""

    asked: int
    passed_over: int
    """Pages, and answers to the moment such as 429."""
    differences: tuple[Difference, ...]


def replay(recording: str) -> Replay:
    """Ask a fresh sandbox everything that was recorded, in order. Raises ``RecordingError``."""
    entries = list(_entries(recording))
    with TemporaryDirectory() as state:
        return asyncio.run(_replay(entries, Path(state)))


async def _replay(entries: list[tuple[int, dict[str, Any]]], state: Path) -> Replay:
    seed = _with_one_application(load_seed(None))
    differences: list[Difference] = []
    asked = 0
    transport = httpx.ASGITransport(Sandbox(state, seed))
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
        words = _Words(seed)
        token = await _token(client, seed)
        client.headers.update({"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        for number, entry in entries:
            if entry["status"] in _PASSING or _LEFT_OUT in entry["address"]:
                continue
            asked += 1
            answer = await client.request(
                entry["method"], words.address(entry["address"]), json=words.document(entry["body"])
            )
            document = answer.json() if answer.content else None
            words.learn(entry["answer"], document)
            request = f"{entry['method']} {entry['address'].partition('?')[0]}"
            found = _compare(entry["status"], entry["answer"], answer.status_code, document)
            differences += [Difference(number, request, what) for what in found]
    return Replay(asked, len(entries) - asked, tuple(differences))


def _entries(recording: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(recording.splitlines(), start=1):
        try:
            entry = json.loads(line)
            yield number, {key: entry[key] for key in ("method", "address", "body", "status", "answer")}
        except (ValueError, KeyError, TypeError) as error:
            raise RecordingError(f"line {number} is no recorded request: {error!r}") from None


def _with_one_application(seed: Seed) -> Seed:
    """The first application holds what all hold: who asked is not recorded."""
    first, *others = seed.applications
    permissions = frozenset[str]().union(*(one.permissions for one in seed.applications))
    return seed.model_copy(update={"applications": (first.model_copy(update={"permissions": permissions}), *others)})


async def _token(client: httpx.AsyncClient, seed: Seed) -> str:
    application = seed.applications[0]
    (secret,) = application.secrets
    form = {
        "grant_type": "client_credentials",
        "client_id": application.client_id,
        "client_secret": secret if isinstance(secret, str) else secret.value,
        "scope": "https://graph.microsoft.com/.default",
    }
    answer = await client.post(f"/{_customer(seed).id}/oauth2/v2.0/token", data=form)
    token: str = answer.json()["access_token"]
    return token


def _customer(seed: Seed) -> SeedTenant:
    return next(one for one in seed.tenants if one.slug == "contoso")


class _Words:
    """What the folded words of a recording stand for in the sandbox."""

    def __init__(self, seed: Seed) -> None:
        self._known: dict[str, str] = {}
        self._domain = next(one.name for one in _customer(seed).domains if one.initial)
        self._guesses = (
            (re.compile(rf"/domains/({_WORD})"), self._domain),
            (re.compile(rf"\(appId='({_WORD})'\)"), seed.applications[0].client_id),
        )

    def address(self, recorded: str) -> str:
        """The address to ask. A word that no answer has explained is guessed from where it stands."""
        for place, guess in self._guesses:
            for found in place.finditer(recorded):
                self._known.setdefault(found[1], guess)
        return self._filled(recorded)

    def document(self, recorded: Json, name: str = "") -> Json:
        """The body to send; ``name``: of the property that has this value."""
        if isinstance(recorded, dict):
            return {key: self.document(value, key) for key, value in recorded.items()}
        if isinstance(recorded, list):
            return [self.document(value, name) for value in recorded]
        if not isinstance(recorded, str):
            return recorded
        if recorded == _LEFT_OUT:
            return _PASSWORD
        if name == "userPrincipalName":
            self._known.setdefault(recorded, f"{recorded}@{self._domain}")
        return self._filled(recorded)

    def learn(self, recorded: Json, actual: Json) -> None:
        """What stands in the same places of both answers is the same thing."""
        if isinstance(recorded, dict) and isinstance(actual, dict):
            for key in recorded.keys() & actual.keys():
                self.learn(recorded[key], actual[key])
        elif isinstance(recorded, list) and isinstance(actual, list):
            for one, other in zip(recorded, actual, strict=False):
                self.learn(one, other)
        elif isinstance(recorded, str) and isinstance(actual, str) and _FOLDED.fullmatch(recorded):
            self._known.setdefault(recorded, actual)

    def _filled(self, text: str) -> str:
        return _FOLDED.sub(lambda found: self._known.get(found[0], found[0]), text)


def _compare(recorded_status: int, recorded: Json, status: int, actual: Json) -> Iterator[str]:
    if status != recorded_status:
        yield f"{status}{_code(actual)}, recorded {recorded_status}{_code(recorded)}"
    elif status >= 400:
        if _code(actual) != _code(recorded):
            yield f"the code is{_code(actual)}, recorded{_code(recorded)}"
    else:
        yield from _compare_shapes("", [recorded], [actual])


def _code(document: Json) -> str:
    error = document.get("error") if isinstance(document, dict) else None
    return f" {error['code']}" if isinstance(error, dict) and error.get("code") else ""


def _compare_shapes(place: str, recorded: list[Json], actual: list[Json]) -> Iterator[str]:
    """Compare all values that stand in one place. Null has every kind, and an empty list every content."""
    kinds, others = _kinds(recorded), _kinds(actual)
    if kinds and others and kinds != others:
        yield f"{place or 'the answer'} is {' or '.join(sorted(others))}, recorded {' or '.join(sorted(kinds))}"
        return
    ours, theirs = _objects(actual), _objects(recorded)
    for kind in sorted(ours.keys() & theirs.keys()):
        mine, wanted = _properties(ours[kind]), _properties(theirs[kind])
        for key in sorted((mine.keys() ^ wanted.keys()) - _OF_VOLUME):
            yield f"{place}.{key} {'is missing' if key in wanted else 'was not recorded'}".lstrip(".")
        for key in sorted(mine.keys() & wanted.keys()):
            yield from _compare_shapes(f"{place}.{key}".lstrip("."), wanted[key], mine[key])
    inside = [[each for one in values if isinstance(one, list) for each in one] for values in (recorded, actual)]
    if all(inside):
        yield from _compare_shapes(f"{place}[]", *inside)


def _kinds(values: Iterable[Json]) -> set[str]:
    names: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
    names |= {dict: "an object", list: "a list"}
    return {names[type(one)] for one in values if one is not None}


def _objects(values: Iterable[Json]) -> dict[str, list[Mapping[str, Json]]]:
    """By their type, which decides what properties an object has."""
    found: dict[str, list[Mapping[str, Json]]] = {}
    for one in values:
        if isinstance(one, dict):
            found.setdefault(str(one.get("@odata.type", "")), []).append(one)
    return found


def _properties(objects: Iterable[Mapping[str, Json]]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for one in objects:
        for key, value in one.items():
            found.setdefault(key, []).append(value)
    return found
