"""A recording of what was asked of a tenant and answered, to be given away: ids and names folded, secrets left out.

What is kept is a list, so that a property that Microsoft adds tomorrow is folded. The same text is folded to the same
word everywhere, so that a recording still shows what refers to what.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import JsonValue

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ACCOUNT = re.compile(r"[^\s'\"]+@[^\s'\"]+")
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_PAGE_TOKEN = re.compile(r"(\$skiptoken=)[^&]*", re.IGNORECASE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|P[\dTDHMS.]+")
_WORD_OF_A_PATH = re.compile(r"[$A-Za-z]+\d?[A-Za-z]*")

_LEFT_OUT = "(left out)"
_SECRET = frozenset({"password", "temporaryAccessPass", "secretText", "hint", "key", "customKeyIdentifier"})
_ENUMERATIONS = frozenset(
    {
        "@odata.type",
        "allowedCombinations",
        "appliesTo",
        "authenticationType",
        "builtInControls",
        "capabilityStatus",
        "clientAppTypes",
        "code",
        "includeApplications",
        "includeUsers",
        "operator",
        "policyType",
        "provisioningStatus",
        "requirementsSatisfied",
        "restrictionType",
        "servicePlanName",
        "skuPartNumber",
        "state",
        "targetType",
        "userType",
    }
)
"""Properties whose texts are words of Microsoft's. GUIDs among them are folded all the same."""
_ADDRESSES = frozenset({"@odata.context", "@odata.nextLink", "directoryScopeId", "message"})
"""Properties that keep their words, and of which everything in quotes is folded."""
_PUBLIC_IDS = frozenset({"roleDefinitionId", "templateId", "servicePlanId", "skuId", "includeRoles", "excludeRoles"})
"""Properties whose ids are the same in every tenant."""
_HEADERS = ("Content-Type", "Date", "Location", "OData-Version", "Retry-After", "Vary", "Cache-Control")


class Folds:
    """What each id and each text has become. Not reversible from the outside: nothing of the original is kept."""

    def __init__(self, public: Collection[str] = ()) -> None:
        """``public``: GUIDs, in lower case, that are the same in every tenant."""
        self._public = public
        self._guids: dict[str, str] = {}
        self._texts: dict[str, str] = {}

    def guid(self, guid: str) -> str:
        """A GUID that stands for this one; one that is public stays."""
        if guid.lower() in self._public:
            return guid
        return self._guids.setdefault(guid.lower(), f"00000000-0000-4000-8000-{len(self._guids) + 1:012}")

    def text(self, text: str) -> str:
        """A word that stands for the text; ids and moments keep their form, since programs depend on it."""
        if not text or _MOMENT.fullmatch(text):
            return text
        if _GUID.fullmatch(text):
            return self.guid(text)
        return self._texts.setdefault(text.lower(), f"text-{len(self._texts) + 1}")

    def sentence(self, text: str) -> str:
        """The words, with every id and account folded, and everything in quotes."""
        without_page = _PAGE_TOKEN.sub(rf"\1{_LEFT_OUT}", text)
        without_quotes = _QUOTED.sub(lambda found: f"'{self.text(found[1])}'", without_page)
        without_accounts = _ACCOUNT.sub(lambda found: self.text(found[0]), without_quotes)
        return _GUID.sub(lambda found: self.guid(found[0]), without_accounts)

    def address(self, url: str) -> str:
        """Path and query, without the host. Segments that are no words of Graph's are folded."""
        parts = urlsplit(url)
        segments = [self._segment(unquote(segment)) for segment in parts.path.split("/")]
        query = f"?{self.sentence(unquote(parts.query))}" if parts.query else ""
        return "/".join(segments) + query

    def document(self, value: JsonValue, name: str = "") -> JsonValue:
        """The same document, folded; ``name``: of the property that has this value."""
        if isinstance(value, dict):
            return {self._name(key): self.document(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [self.document(each, name) for each in value]
        if not isinstance(value, str):
            return value
        if name in _SECRET:
            return _LEFT_OUT
        if name in _PUBLIC_IDS and _GUID.fullmatch(value):
            return value
        if name in _ADDRESSES:
            return self.sentence(value)
        return _GUID.sub(lambda found: self.guid(found[0]), value) if name in _ENUMERATIONS else self.text(value)

    def _segment(self, segment: str) -> str:
        if not segment or segment == "v1.0" or _WORD_OF_A_PATH.fullmatch(segment):
            return segment
        return self.sentence(segment) if "'" in segment or _GUID.fullmatch(segment) else self.text(segment)

    def _name(self, key: str) -> str:
        # Names of properties are Microsoft's, but for those of extensions, which carry an application's id.
        return _GUID.sub(lambda found: self.guid(found[0]), key)


class Recorder:
    """Hears every answer of Graph, in order. Signing in is not among them: its answers are tokens."""

    def __init__(self, write: Callable[[str], object], public: Collection[str] = ()) -> None:
        """``write`` takes a line of JSON for each call; ``public`` as for ``Folds``."""
        self._folds = Folds(public)
        self._write = write

    async def note(self, response: httpx.Response) -> None:
        """Take down a call and its answer. Raises what reading the answer raises."""
        await response.aread()
        request = response.request
        headers: dict[str, JsonValue] = {
            name: self._folds.address(value) if name == "Location" else value
            for name in _HEADERS
            if (value := response.headers.get(name)) is not None
        }
        entry: dict[str, JsonValue] = {
            "method": request.method,
            "address": self._folds.address(str(request.url)),
            "body": self._document(request.content),
            "status": response.status_code,
            "headers": headers,
            "answer": self._document(response.content),
        }
        self._write(json.dumps(entry, sort_keys=True) + "\n")

    def _document(self, content: bytes) -> JsonValue:
        if not content:
            return None
        try:
            return self._folds.document(json.loads(content))
        except ValueError:
            return "(no JSON)"
