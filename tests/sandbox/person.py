"""A person with a browser, by the plain protocol: follows pages by their forms, and stops where the application begins.

The pages work without scripts, so this is all that a browser does; a real one looks at them in
``test_a_browser_signs_in.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

SIGN_IN_APP = "516e1e00-0000-4000-8000-000000516e1e"
SIGN_IN_SECRET = "sandbox-only-sign-in-secret"
CALLBACK = "http://localhost:54321/auth/callback"
CONSENT_CALLBACK = "http://localhost:54321/consent/callback"


@dataclass
class Page(HTMLParser):
    """What a page says and which form it has."""

    url: str
    status: int
    action: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)
    """What the buttons and links say, by what they do."""
    text: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        elif tag == "input" and given.get("type") != "checkbox":
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "button" and "value" in given:
            self.actions[given["value"]] = ""
        elif tag == "a":
            self.actions[given["href"]] = ""
        self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "title" in self._inside:
            self.title += data
        elif "style" not in self._inside and data.strip():
            self.text += f"{data.strip()} "


@dataclass(frozen=True)
class Callback:
    """What arrived at the application, and by which way."""

    address: str
    parameters: dict[str, str]
    posted: bool


class Person:
    """A person with a browser of their own."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.page: Page | None = None

    def open(self, url: str, **parameters: str) -> Page | Callback:
        return self._see(self.client.get(url, params=parameters or None))

    def press(self, action: str, **fields: str) -> Page | Callback:
        """Fill in fields and press a button of the page."""
        page = self.page
        assert page is not None
        assert page.action is not None
        assert action in page.actions, f"{page.title}: {sorted(page.actions)}"
        unknown = fields.keys() - page.fields.keys() - {"everybody"}
        assert not unknown, f"{page.title} has no {unknown}"
        form = page.fields | fields | {"action": action}
        return self._see(self.client.post(urljoin(page.url, page.action), data=form))

    def sign_in(self, username: str, password: str) -> Page | Callback:
        self.press("username", username=username)
        return self.press("password", password=password)

    def show(self, answer: httpx.Response) -> None:
        """Look at a page that was reached otherwise."""
        self._see(answer)

    def _see(self, answer: httpx.Response) -> Page | Callback:
        if answer.status_code == 302:
            parts = urlsplit(answer.headers["location"])
            found = dict(parse_qsl(parts.query)) | dict(parse_qsl(parts.fragment))
            return Callback(parts._replace(query="", fragment="").geturl(), found, posted=False)
        page = Page(str(answer.url), answer.status_code)
        page.feed(answer.text)
        if page.action is not None and page.action.startswith("http://localhost"):
            return Callback(page.action, page.fields, posted=True)
        self.page = page
        return page


def shown(outcome: Page | Callback) -> Page:
    assert isinstance(outcome, Page), outcome
    return outcome


def arrived(outcome: Page | Callback) -> Callback:
    assert isinstance(outcome, Callback), outcome.text
    return outcome
