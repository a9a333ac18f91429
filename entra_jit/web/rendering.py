"""Pages from templates: escaped, strict about what is missing, and with what every page has."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from entra_jit.identity.authorize import Verb, may
from entra_jit.operations.list_changes import ConfigurationChange, list_changes
from entra_jit.policy.durations import format_duration
from entra_jit.policy.roles import REFERENCE
from entra_jit.web.navigation import Shown, links_for
from entra_jit.web.visitors import Visitor, app_of
from models.errors import UnreachableError
from models.messages import GrantState
from models.moments import format_moment
from models.plain_text import plain, printable

SAVED = "saved"
"""The parameter of an address that names the event of a change that was just saved."""

PAGES = Path(__file__).with_name("pages")

_CODE = re.compile("`([^`]+)`")

TONES = {
    GrantState.ASKED: "amber",
    GrantState.PREPARING: "amber",
    GrantState.CLOSING: "amber",
    GrantState.OPEN: "green",
    GrantState.PARKED: "red",
    GrantState.FAILED: "red",
    GrantState.ABANDONED: "red",
}
"""The colour of a state; grey where it is not here."""


async def page(
    request: Request, visitor: Visitor | None, name: str, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """The page ``name`` of ``pages/``; a template misses no value silently. ``visitor`` None: not signed in."""
    return HTMLResponse(
        _ENVIRONMENT.get_template(name).render(
            **values,
            visitor=visitor,
            navigation=await _navigation(request, visitor),
            saved=await _saved(request, visitor),
            nonce=request.state.nonce,
            temporal_is_away=request.app.state.engine.is_away,
        ),
        status_code=status,
    )


def fragment(request: Request, visitor: Visitor, name: str, **values: Any) -> str:
    """Part of a page, to be put in place of the same part on a page that is open."""
    return _ENVIRONMENT.get_template(name).render(**values, visitor=visitor, nonce=request.state.nonce)


async def _saved(request: Request, visitor: Visitor | None) -> ConfigurationChange | None:
    """The change that was just saved, where the address names one; None: it does not, or not to this person."""
    event_id = request.query_params.get(SAVED, "")
    if (
        visitor is None
        or not event_id.isdecimal()
        or len(event_id) > 18
        or not may(visitor.actor, Verb.EXPORT_CONFIGURATION)
    ):
        return None
    found = await list_changes(visitor.actor, app_of(request), event_id=int(event_id))
    return found[0] if found else None


async def _navigation(request: Request, visitor: Visitor | None) -> list[Shown]:
    if visitor is None:
        return []
    try:
        return await links_for(visitor, app_of(request), request.app.state.links, request.url.path)
    except UnreachableError:  # the page may be about just that
        return []


def moment(at: datetime) -> Markup:
    """A point in time: UTC as it is printed, the reader's own zone where scripts run."""
    return Markup('<time datetime="{}" data-moment>{}</time>').format(at.isoformat(), format_moment(at))


def clock(at: datetime) -> Markup:
    """The same without its date, for a list of what happened soon one after the other."""
    return Markup('<time datetime="{}" data-moment="short" title="{}">{}</time>').format(
        at.isoformat(), format_moment(at), f"{at:%H:%M:%SZ}"
    )


def left(until: datetime, now: datetime) -> Markup:
    """How long there is until a point in time; it counts down where scripts run."""
    text = f"{format_duration(max(until - now, timedelta(0)))} left"
    return Markup('<time class="left" datetime="{}" data-left>{}</time>').format(until.isoformat(), text)


def ago(at: datetime, now: datetime) -> Markup:
    """How long ago it was."""
    text = f"{format_duration(max(now - at, timedelta(0)))} ago"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), format_moment(at), text)


def plus(at: datetime, minutes: int) -> datetime:
    """A point in time some minutes later."""
    return at + timedelta(minutes=minutes)


def tone(state: GrantState) -> str:
    """The colour of a state: ``grey``, ``amber``, ``green`` or ``red``."""
    return TONES.get(state, "grey")


def _shown(value: object) -> object:
    """What people or directories wrote loses what would not be shown as it is; escaping comes after."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def exact(text: str) -> Markup:
    """What a form sends back as it was given, spaces and lines included. Escaped; for values of fields alone."""
    return escape(text)


def lines(text: str) -> Markup:
    """A text of ours with its lines and indentation; each line loses what would not be shown as it is."""
    return escape("\n".join(map(printable, text.split("\n"))))


def coded(text: str) -> Markup:
    """A sentence of ours on one line, escaped: a command or a field between backticks is shown as code."""
    parts = enumerate(_CODE.split(plain(text)))
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in parts)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["role_reference"] = REFERENCE
    made.filters |= {
        "duration": format_duration,
        "coded": coded,
        "exact": exact,
        "lines": lines,
        "moment": moment,
        "clock": clock,
        "left": left,
        "ago": ago,
        "tone": tone,
        "plus": plus,
        "utc": format_moment,
    }
    return made


_ENVIRONMENT = _environment()
