"""The column of navigation: what a person may go to, and how much there waits for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from entra_jit.app import App
from entra_jit.web.visitors import Visitor
from models.actor import Role


@dataclass(frozen=True)
class Link:
    """A screen's place in the navigation. A screen exports it as ``LINK``; one without is reached from others."""

    path: str
    label: str
    place: int
    """Links stand in this order."""
    roles: frozenset[Role] = frozenset(Role)
    """Who has any of these sees the link. What may be done there, the operations say."""
    count: Callable[[Visitor, App], Awaitable[int]] | None = None
    """How much waits there for this person. One statement: it is asked for every page."""


@dataclass(frozen=True)
class Shown:
    """A link on a page."""

    path: str
    label: str
    count: int
    is_here: bool


async def links_for(visitor: Visitor, app: App, links: tuple[Link, ...], path: str) -> list[Shown]:
    """The links that ``visitor`` sees on the page at ``path``."""
    seen = [link for link in links if visitor.has(*link.roles)]
    here = max((link.path for link in seen if _is_at(path, link.path)), key=len, default=None)
    return [
        Shown(link.path, link.label, await link.count(visitor, app) if link.count else 0, link.path == here)
        for link in seen
    ]


def _is_at(path: str, of: str) -> bool:
    return path == of or (of != "/" and path.startswith(f"{of}/"))
