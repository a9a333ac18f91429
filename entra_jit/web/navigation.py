"""The column of navigation: what a person may go to, and how much there waits for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from entra_jit.app import App
from entra_jit.operations.count_attention import Attention, count_attention
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
    attention: Callable[[Attention], int] | None = None
    """The same, of what is counted for all links that have this in one statement."""


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
    counted = await count_attention(visitor.actor, app) if any(link.attention for link in seen) else None
    here = max((link.path for link in seen if _is_at(path, link.path)), key=len, default=None)
    return [Shown(link.path, link.label, await _count(link, visitor, app, counted), link.path == here) for link in seen]


async def _count(link: Link, visitor: Visitor, app: App, counted: Attention | None) -> int:
    if link.attention and counted:
        return link.attention(counted)
    return await link.count(visitor, app) if link.count else 0


def _is_at(path: str, of: str) -> bool:
    return path == of or (of != "/" and path.startswith(f"{of}/"))
