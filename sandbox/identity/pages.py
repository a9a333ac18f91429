"""The pages that people see: HTML from templates, without anything from elsewhere."""

from __future__ import annotations

import secrets
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox.exchange import Answer, Json

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, *, status: int = 200, scripted: bool = False, **values: Json) -> Answer:
    """Render a template. Only a ``scripted`` page may run a script: its own."""
    nonce = secrets.token_urlsafe(16)
    policy = ["default-src 'none'", f"style-src 'nonce-{nonce}'", "base-uri 'none'", "frame-ancestors 'none'"]
    if scripted:
        policy.append(f"script-src 'nonce-{nonce}'")
    body = _TEMPLATES.get_template(name).render(nonce=nonce, **values)
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(policy),
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
    }
    return Answer(status, body.encode(), headers)
