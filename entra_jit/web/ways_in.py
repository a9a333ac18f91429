"""How people sign in here: what the sign-in's own pages and those that ask for a sign-in of their own share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from pydantic import SecretStr
from starlette.responses import RedirectResponse, Response

from entra_jit.app import App
from entra_jit.identity.person_sign_in import LASTS, PersonSignIns, RoleSource
from entra_jit.web.visitors import TheApp
from models.errors import SettingsError
from models.messages import TenantId

BEGUN_COOKIE = "__Host-entra-jit-sign-in"
CALLBACK = "/auth/callback"


def sign_ins(app: TheApp) -> PersonSignIns:
    """How people sign in here. Raises ``SettingsError``."""
    settings = app.settings
    own = app.own_applications.get("sign_in")
    if own is None or settings.home_tenant is None:
        raise SettingsError(
            "ENTRA_JIT_HOME_TENANT and ENTRA_JIT_SIGN_IN__CLIENT_ID are not set, so that people cannot sign in."
        )
    return PersonSignIns(
        app.ledger,
        app.graph,
        own.connection(TenantId(str(settings.home_tenant)), "your organization"),
        RoleSource.of(settings),
    )


SignIns = Annotated[PersonSignIns, Depends(sign_ins)]


async def to_sign_in(app: App, ways: PersonSignIns, to: str, *, anew: bool, about: str | None = None) -> Response:
    """Send the browser to the sign-in service, and back to ``to``. ``about``: see ``PersonSignIns.begin``."""
    begun = await ways.begin(f"{app.settings.portal_url}{CALLBACK}", to, anew=anew, at=app.clock(), about=about)
    answer = RedirectResponse(begun.address, status_code=303)
    keep_cookie(answer, BEGUN_COOKIE, begun.cookie, seconds=round(LASTS.total_seconds()))
    return answer


def keep_cookie(answer: Response, name: str, cookie: SecretStr, *, seconds: int | None = None) -> None:
    """Have the browser keep it until it ends, or for so long."""
    answer.set_cookie(
        name, cookie.get_secret_value(), max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )
