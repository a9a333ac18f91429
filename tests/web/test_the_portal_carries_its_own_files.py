"""What pages load is ours or vendored, as it was published, and nothing comes from anywhere else."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from pathlib import Path

import pytest

from entra_jit.web.application import STATIC
from entra_jit.web.rendering import PAGES

HTMX_4_0_1 = {
    "htmx.min.js": "Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn",
    "hx-csp.min.js": "l1UlMMjlxqJ9heYFHycJZCe5JK5ercIbf4mufiyK4B5B/8Hk3xk05wPOiWNv2OUX",
    "hx-sse.min.js": "v8HvucQ+ohQhMg0arboXc5049yNR46QKMjphs7YDch+Wm7zpfK5XVS01f26mQDJV",
}
"""SHA-384 of the files in the package htmx.org 4.0.1; ``make vendor`` fetches them."""


@pytest.mark.parametrize("name", HTMX_4_0_1)
def test_a_vendored_file_is_what_was_published(name: str) -> None:
    assert b64encode(hashlib.sha384((STATIC / name).read_bytes()).digest()).decode() == HTMX_4_0_1[name]


@pytest.mark.parametrize("file", [*PAGES.glob("*.html"), *STATIC.glob("portal.*")], ids=lambda file: file.name)
def test_no_page_loads_from_elsewhere_or_brings_a_style_or_script_of_its_own(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"(?:https?:)?//[a-z]+\.", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=)|\| *safe\b|autoescape", text)
