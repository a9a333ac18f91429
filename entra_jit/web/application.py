"""The portal as an application: what stands in front of every screen, the screens, and the pages of errors."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from temporalio.service import RPCError

from entra_jit.app import App
from entra_jit.web import screens, signing_in
from entra_jit.web.engine import EngineWatch
from entra_jit.web.live import Live
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.security import Guard
from entra_jit.web.visitors import SignInNeededError
from entra_jit.web.waiting import leads_to_waiting, wait_for
from models.errors import (
    BadInputError,
    EntraJitError,
    InternalError,
    NotFoundError,
    StillWorkingError,
    UnreachableError,
)

STATIC = Path(__file__).with_name("static")

_log = structlog.get_logger("portal")


def portal(app: App) -> FastAPI:
    """The portal of the deployment that ``app`` opens. ``app`` is not closed with it."""
    engine = EngineWatch(app)

    @asynccontextmanager
    async def lives(_: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(engine.run())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    web = FastAPI(title="entra-jit", lifespan=lives, docs_url=None, redoc_url=None, openapi_url=None)
    web.state.app, web.state.engine, web.state.links = app, engine, ()
    web.state.live = Live(app)
    web.add_middleware(Guard, settings=app.settings, explain=_our_error)
    web.mount("/static", StaticFiles(directory=STATIC), name="static")
    web.include_router(signing_in.router)
    for screen in _screens():
        web.include_router(screen.router)
    links = [screen.LINK for screen in _screens() if hasattr(screen, "LINK")]
    web.state.links = tuple(sorted(links, key=_place))
    _answer_errors(web)
    return web


def _screens() -> Iterator[ModuleType]:
    """Every module of ``screens``, each with its ``router``."""
    for found in pkgutil.iter_modules(screens.__path__):
        if not found.name.startswith("_"):
            yield importlib.import_module(f"{screens.__name__}.{found.name}")


def _place(link: Link) -> int:
    return link.place


def _answer_errors(web: FastAPI) -> None:
    web.exception_handler(SignInNeededError)(_sign_in_first)
    web.exception_handler(EntraJitError)(_explain)
    web.exception_handler(StillWorkingError)(_wait)
    web.exception_handler(RPCError)(_temporal_refused)
    web.exception_handler(RequestValidationError)(_bad_form)
    web.exception_handler(HTTPException)(_no_such_page)


async def _sign_in_first(_: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeededError)  # noqa: S101  # as registered
    query = {"to": error.return_to} | ({"anew": "1"} if error.anew else {})
    return RedirectResponse(f"/sign-in{'/begin' if error.anew else ''}?{urlencode(query)}", HTTPStatus.SEE_OTHER)


async def _wait(request: Request, error: Exception) -> Response:
    assert isinstance(error, StillWorkingError)  # noqa: S101  # as registered
    return wait_for(request, error) if leads_to_waiting(request) else await _explain(request, error)


async def _explain(request: Request, error: Exception) -> Response:
    """The page of an error of ours: what happened, what to do, and by which code it is found in the documentation."""
    assert isinstance(error, EntraJitError)  # noqa: S101  # as registered
    if error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("page failed", path=request.url.path, because=str(error))
    visitor = getattr(request.state, "visitor", None)
    return await page(request, visitor, "error.html", status=error.http_status, error=error, code=_code(error))


def _code(error: EntraJitError) -> str:
    return f"{int(error.http_status)} {type(error).__name__.removesuffix('Error')}"


async def _temporal_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RPCError)  # noqa: S101  # as registered
    return await _explain(request, UnreachableError(f"Temporal does not answer: {error.message}", advice="Try again."))


async def _bad_form(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # as registered
    first = error.errors()[0]
    return await _explain(request, BadInputError(f"{first['loc'][-1]}: {first['msg']}"))


async def _no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as registered
    if error.status_code == HTTPStatus.NOT_FOUND:
        return await _explain(request, NotFoundError("There is no such page."))
    return PlainTextResponse(error.detail, error.status_code, headers=error.headers)


async def _our_error(request: Request, error: Exception) -> Response:
    _log.error("page failed", path=request.url.path, exc_info=error)
    return await _explain(request, InternalError(f"The page failed ({type(error).__name__})."))
