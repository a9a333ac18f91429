"""Signs in to an emergency account with its passkey, in a browser of this machine.

One file that needs Python 3.11 and the package ``cryptography`` (50), and nothing else of entra-jit: no server, no
database. ``starter.py emergency kit`` puts a copy of it beside each kit, so that a kit opens when all the rest is gone;
without a kit it takes what the portal reveals::

    python emergency_kit.py contoso.kit
    python emergency_kit.py

A kit opens with the passphrase of any one of its holders: scrypt makes a key of it, AES-256-GCM seals. The key of a
passkey reaches the browser through a pipe that no other process can open, never through a port, a file or an argument,
and the browser's profile is deleted when it ends.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import getpass
import hashlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

FORMAT = "entra-jit emergency kit 1"
PORTAL = "https://entra.microsoft.com/"
BROWSERS = ("chromium", "google-chrome", "google-chrome-stable", "microsoft-edge", "chromium-browser")
SHORTEST_PASSPHRASE = 16
MOST_HOLDERS = 8

_SCRYPT = {"n": 2**17, "r": 8, "p": 1}
"""128 MB and about half a second for each guess."""
_MOST_N = 2**20
_ABOUT = ("format", "made_at", "credentials", "scrypt")
_PATIENCE_SECONDS = 30.0
_GRACE_SECONDS = 5.0


class KitError(Exception):
    """A kit cannot be opened, or a browser cannot be used. The sentence holds no secret."""


class _NoAnswerError(KitError):
    """The browser has not done in time what it was asked for."""


@dataclass(frozen=True)
class Passkey:
    """One account's passkey, opened. Its text is never shown."""

    tenant: str
    tenant_id: str
    number: int
    account_name: str
    credential: str
    """Its handle in the deployment that made it: by this it is told whether a rotation has replaced it."""
    credential_id: str = field(repr=False)
    """Base64url, as WebAuthn has it."""
    private_key: str = field(repr=False)
    """PKCS #8, base64."""
    rp_id: str = "login.microsoft.com"
    user_handle: str = field(default="", repr=False)
    """Base64url."""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Passkey:
        """From what ``asdict`` gave; a field that is not known is ignored. Raises ``KitError``."""
        try:
            return cls(**{one.name: document[one.name] for one in fields(cls)})
        except KeyError as error:
            raise KitError(f"The passkey has no {error.args[0]}.") from None


# -- the sealed file


@dataclass(frozen=True)
class Kit:
    """What is in a kit, and since when."""

    made_at: datetime
    passkeys: tuple[Passkey, ...]


def seal_kit(kit: Kit, passphrases: Sequence[str]) -> bytes:
    """The kit as a file that each of the passphrases opens. Raises ``KitError`` for one that is too short, or twice."""
    if any(len(one) < SHORTEST_PASSPHRASE for one in passphrases):
        raise KitError(f"A passphrase has at least {SHORTEST_PASSPHRASE} characters.")
    if not passphrases or len(set(passphrases)) < len(passphrases):
        raise KitError("Each holder of a kit has a passphrase of their own.")
    about: dict[str, Any] = {
        "format": FORMAT,
        "made_at": kit.made_at.isoformat(),
        "credentials": [one.credential for one in kit.passkeys],
        "scrypt": _SCRYPT,
    }
    key = AESGCM.generate_key(256)
    header = {**about, "holders": [_wrap(key, about, one) for one in passphrases], "nonce": _text(_nonce())}
    content = json.dumps([asdict(one) for one in kit.passkeys]).encode()
    sealed = AESGCM(key).encrypt(_bytes(header["nonce"]), content, _bound(header))
    return json.dumps({**header, "sealed": _text(sealed)}, indent=1).encode()


def open_kit(content: bytes, passphrase: str) -> Kit:
    """The kit again. Raises ``KitError``: another passphrase, a file that was changed, or no kit at all."""
    header, sealed = _read_file(content)
    about = {name: header[name] for name in _ABOUT}
    for holder in header["holders"]:
        with contextlib.suppress(InvalidTag, ValueError):
            key = _unwrap(holder, about, passphrase)
            opened = AESGCM(key).decrypt(_bytes(header["nonce"]), sealed, _bound(header))
            passkeys = tuple(Passkey.read(one) for one in json.loads(opened))
            return Kit(datetime.fromisoformat(header["made_at"]), passkeys)
    raise KitError("The passphrase is wrong, or the file was changed.")


def read_header(content: bytes) -> tuple[datetime, tuple[str, ...]]:
    """When a kit was made, and the handles of its credentials. It needs no passphrase, and proves nothing.

    Raises ``KitError``.
    """
    header, _ = _read_file(content)
    return datetime.fromisoformat(header["made_at"]), tuple(header["credentials"])


def _read_file(content: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        header = json.loads(content)
        sealed = _bytes(header.pop("sealed"))
        known = header["format"] == FORMAT and 2 <= header["scrypt"]["n"] <= _MOST_N
        known = known and len(header["holders"]) <= MOST_HOLDERS
        known = known and all({"salt", "nonce", "key"} <= holder.keys() for holder in header["holders"])
        datetime.fromisoformat(header["made_at"])
    except (ValueError, LookupError, TypeError, AttributeError):
        known, header, sealed = False, {}, b""
    if not known:
        raise KitError("This file is no emergency kit.")
    return header, sealed


def _wrap(key: bytes, about: Mapping[str, Any], passphrase: str) -> dict[str, str]:
    """What of the file is one holder's: the key of its content, sealed with their passphrase."""
    salt, nonce = secrets.token_bytes(16), _nonce()
    wrapped = AESGCM(_derived(about, salt, passphrase)).encrypt(nonce, key, _bound(about))
    return {"salt": _text(salt), "nonce": _text(nonce), "key": _text(wrapped)}


def _unwrap(holder: Mapping[str, str], about: Mapping[str, Any], passphrase: str) -> bytes:
    derived = _derived(about, _bytes(holder["salt"]), passphrase)
    return AESGCM(derived).decrypt(_bytes(holder["nonce"]), _bytes(holder["key"]), _bound(about))


def _derived(about: Mapping[str, Any], salt: bytes, passphrase: str) -> bytes:
    cost = about["scrypt"]
    return Scrypt(salt=salt, length=32, n=cost["n"], r=cost["r"], p=cost["p"]).derive(passphrase.encode())


def _nonce() -> bytes:
    return secrets.token_bytes(12)


def _bound(header: Mapping[str, Any]) -> bytes:
    """What is sealed opens only with the header that it was sealed with."""
    return json.dumps(header, sort_keys=True).encode()


# -- what is revealed, sealed to its reader


_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_BEGIN, _END = (f"-----{word} EMERGENCY CREDENTIAL-----" for word in ("BEGIN", "END"))
_LINE = 64
"""Short lines: a terminal takes no line of more than 1,024 characters everywhere."""


class OneTimeKey:
    """The reader's key pair, for one credential. Its private half never leaves this process."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()

    @property
    def public(self) -> str:
        """What the credential is sealed to, base64."""
        return _text(self._private.public_key().public_bytes_raw())

    def open(self, sealed: str, about: str) -> tuple[Passkey, ...]:
        """What was sealed to this key, about the same. Raises ``KitError`` for anything else."""
        try:
            content = json.loads(_SUITE.decrypt(_bytes(sealed), self._private, info=about.encode()))
        except (ValueError, InvalidTag):
            raise KitError("This was not sealed to this reader.") from None
        return tuple(Passkey.read(one) for one in content)


def code_of(public: str) -> str:
    """A short code of a public key, by which people tell whether it is the same: ``4F2A-91C0-7B3D``.

    Raises ``KitError`` for what is no public key.
    """
    digest = hashlib.sha256(_public(public).public_bytes_raw()).hexdigest().upper()
    return "-".join(digest[at : at + 4] for at in (0, 4, 8))


def seal_to(public: str, passkeys: Sequence[Passkey], about: str) -> str:
    """Seal passkeys to a reader, base64. They open only as what they are about. Raises ``KitError``."""
    content = json.dumps([asdict(one) for one in passkeys]).encode()
    return _text(_SUITE.encrypt(content, _public(public), info=about.encode()))


def _public(text: str) -> X25519PublicKey:
    try:
        return X25519PublicKey.from_public_bytes(_bytes(text))
    except ValueError:
        raise KitError("This is no public key of X25519 in base64.") from None


def to_paste(sealed: str, about: str) -> str:
    """What was sealed, as text that a person carries from the page that shows it to the program that opens it."""
    whole = _text(json.dumps({"about": about, "sealed": sealed}).encode())
    lines = [whole[at : at + _LINE] for at in range(0, len(whole), _LINE)]
    return "\n".join([_BEGIN, *lines, _END])


def from_paste(text: str) -> tuple[str, str]:
    """What ``to_paste`` was given. Raises ``KitError``."""
    try:
        found = json.loads(_bytes("".join(text.split(_BEGIN)[1].split(_END, maxsplit=1)[0].split())))
        return str(found["sealed"]), str(found["about"])
    except (ValueError, LookupError, TypeError):
        raise KitError("This is not what the portal shows, or not all of it.") from None


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _plain(text: str) -> str:
    """Base64url without padding as DevTools takes it: base64."""
    return _text(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


# -- the browser


_KEPT_VARIABLES = (
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "HTTPS_PROXY",
    "LANG",
    "LC_ALL",
    "NO_PROXY",
    "PATH",
    "TMPDIR",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "https_proxy",
    "no_proxy",
)
"""A browser inherits no other: where this runs inside a worker, its environment has the deployment's keys."""

_ARGUMENTS = (
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--password-store=basic",
)


class Browser:
    """A Chromium or Edge with a throw-away profile, in which every page holds the passkey. A context manager."""

    def __init__(
        self,
        passkey: Passkey | None,
        *,
        program: str | None = None,
        headless: bool = False,
        arguments: Sequence[str] = (),
    ) -> None:
        """``program``: the browser's path or name; None: the first that is found. Raises ``KitError``."""
        self._passkey = passkey
        self._program = _find(program)
        self._headless = headless
        self._arguments = [*_ARGUMENTS, *(["--headless=new"] if headless else []), *arguments]
        self._heard = threading.Condition()
        self._answers: dict[int, dict[str, Any]] = {}
        self._pages: list[str] = []
        self._last = 0
        self._failure: str | None = None
        self._writing = threading.Lock()

    def __enter__(self) -> Browser:
        self._profile = tempfile.mkdtemp(prefix="emergency-")
        try:
            self._start()
            self.call("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True})
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_pid"):
            with contextlib.suppress(KitError, OSError):
                self.call("Browser.close", seconds=_GRACE_SECONDS)
            self._end()
        until = time.monotonic() + _GRACE_SECONDS
        while os.path.exists(self._profile) and time.monotonic() < until:  # noqa: PTH110
            # What was killed may write its last for a moment.
            shutil.rmtree(self._profile, ignore_errors=True)
            time.sleep(0.05)

    def _start(self) -> None:
        # Here, since Windows has none of it.
        try:
            import fcntl  # noqa: PLC0415
        except ImportError:
            raise KitError("This needs Linux or macOS.") from None

        heard_by_browser, self._to = os.pipe()
        self._from, told_by_browser = os.pipe()
        # Above the numbers that the browser wants them under: no copy must overwrite the other.
        theirs = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in (heard_by_browser, told_by_browser)]
        os.close(heard_by_browser)
        os.close(told_by_browser)
        actions = [
            *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)),
            (os.POSIX_SPAWN_DUP2, theirs[0], 3),
            (os.POSIX_SPAWN_DUP2, theirs[1], 4),
        ]
        command = [self._program, *self._arguments, f"--user-data-dir={self._profile}", "about:blank"]
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        if self._headless:
            kept["HOME"] = self._profile  # a worker's user need not have one
        try:
            self._pid = os.posix_spawn(self._program, command, kept, file_actions=actions, setpgroup=0)
        except OSError as error:
            raise KitError(f"{self._program} does not start: {error.strerror}.") from None
        finally:
            for one in theirs:
                os.close(one)
        threading.Thread(target=self._listen, daemon=True).start()

    def _end(self) -> None:
        """Wait for the browser, and kill what does not end by itself, its children included."""
        until = time.monotonic() + _GRACE_SECONDS
        while self.is_running and time.monotonic() < until:
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        with contextlib.suppress(OSError):
            os.close(self._to)

    @property
    def is_running(self) -> bool:
        """Whether the window is still open."""
        try:
            ended, _ = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            return False
        return ended == 0

    def page(self) -> str:
        """The first page's session. Raises ``KitError`` where none comes."""
        with contextlib.suppress(_NoAnswerError):
            self._wait(lambda: bool(self._pages), _GRACE_SECONDS)
            return self._pages[0]
        # Not every browser attaches to the page that it has begun with.
        self.call("Target.createTarget", {"url": "about:blank"})
        self._wait(lambda: bool(self._pages), _PATIENCE_SECONDS)
        return self._pages[0]

    def open(self, address: str) -> str:
        """Go to an address in the first page. Gives its session."""
        session = self.page()
        self.call("Page.navigate", {"url": address}, session)
        return session

    def evaluate(self, script: str, session: str) -> Any:
        """What the script comes to in the page, as JSON has it; None also while the page changes."""
        answer = self.ask("Runtime.evaluate", {"expression": script, "returnByValue": True}, session) or {}
        return answer.get("result", {}).get("value")

    def ask(
        self, method: str, parameters: Mapping[str, Any] | None = None, session: str | None = None
    ) -> dict[str, Any] | None:
        """``call``; None where the page cannot answer, as while it changes. Raises ``KitError`` without a browser."""
        try:
            return self.call(method, parameters, session)
        except KitError:
            if self._failure:
                raise
            return None

    def call(
        self,
        method: str,
        parameters: Mapping[str, Any] | None = None,
        session: str | None = None,
        *,
        seconds: float = _PATIENCE_SECONDS,
    ) -> dict[str, Any]:
        """Ask the browser for something. Raises ``KitError``, whose sentence names the method alone."""
        with self._writing:
            self._last += 1
            number = self._last
            message = {"id": number, "method": method, "params": dict(parameters or {})}
            if session:
                message["sessionId"] = session
            try:
                _write_all(self._to, json.dumps(message).encode() + b"\0")
            except OSError:
                raise KitError(f"The browser has ended before {method}.") from None
        self._wait(lambda: number in self._answers, seconds)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise KitError(f"The browser refuses {method}.")
        result: dict[str, Any] = answer.get("result", {})
        return result

    def _wait(self, is_so: Any, seconds: float) -> None:
        with self._heard:
            if not self._heard.wait_for(lambda: is_so() or self._failure, timeout=seconds):
                raise _NoAnswerError("The browser does not answer.")
            if self._failure and not is_so():
                raise KitError(self._failure)

    def _listen(self) -> None:
        for message in _messages(self._from):
            if message.get("method") == "Target.attachedToTarget":
                # In a thread of its own: it asks the browser in turn, and the answers are heard here.
                threading.Thread(target=self._attached, args=(message["params"],), daemon=True).start()
            elif "id" in message:
                with self._heard:
                    self._answers[message["id"]] = message
                    self._heard.notify_all()
        self._fail("The browser has ended.")
        os.close(self._from)

    def _attached(self, told: Mapping[str, Any]) -> None:
        session, kind = told["sessionId"], told["targetInfo"]["type"]
        try:
            if kind == "page":
                self._prepare(session)
            self.call("Runtime.runIfWaitingForDebugger", session=session)
        except KitError as error:
            # A page that is gone again is no failure; the first one is.
            if kind == "page" and not self._pages:
                self._fail(str(error))
            return
        if kind == "page":
            with self._heard:
                self._pages.append(session)
                self._heard.notify_all()

    def _prepare(self, session: str) -> None:
        if self._headless:
            # A page without the focus may use no passkey, and without a window none has it.
            with contextlib.suppress(KitError):
                self.call("Emulation.setFocusEmulationEnabled", {"enabled": True}, session)
        if self._passkey is not None:
            self._give_passkey(session, self._passkey)

    def _give_passkey(self, session: str, passkey: Passkey) -> None:
        """Let the page use the passkey, with a virtual authenticator that confirms by itself."""
        self.call("WebAuthn.enable", {"enableUI": False}, session)
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self.call("WebAuthn.addVirtualAuthenticator", {"options": options}, session)
        credential = {
            "credentialId": _plain(passkey.credential_id),
            "isResidentCredential": True,
            "rpId": passkey.rp_id,
            "privateKey": passkey.private_key,
            "userHandle": _plain(passkey.user_handle),
            "signCount": 0,
            "backupEligibility": True,
            "backupState": True,
        }
        wanted = {"authenticatorId": made["authenticatorId"], "credential": credential}
        self.call("WebAuthn.addCredential", wanted, session)

    def _fail(self, sentence: str) -> None:
        with self._heard:
            self._failure = self._failure or sentence
            self._heard.notify_all()


def _find(program: str | None) -> str:
    for name in (program,) if program else BROWSERS:
        if found := shutil.which(name):
            return found
    raise KitError(f"No browser is found: {program or ', '.join(BROWSERS)}.")


def _write_all(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _messages(file: int) -> Iterator[dict[str, Any]]:
    """What comes through the pipe, until it ends: JSON, each with a zero byte behind it."""
    rest = b""
    while True:
        try:
            part = os.read(file, 65536)
        except OSError:
            return
        if not part:
            return
        *whole, rest = (rest + part).split(b"\0")
        for message in whole:
            yield json.loads(message)


def browse(passkey: Passkey, address: str, *, program: str | None = None, arguments: Sequence[str] = ()) -> None:
    """Open a window with the passkey, and wait until the person closes it. Raises ``KitError``."""
    with Browser(passkey, program=program, arguments=arguments) as browser:
        browser.open(address)
        while browser.is_running:
            time.sleep(0.2)


# -- the program


def read_passphrase(question: str) -> str:
    """From the terminal without an echo, or the first line of what is piped."""
    return getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def main() -> int:
    """Open a kit, or what the portal reveals, and sign in with it. 0: done; 2: it could not be."""
    parser = argparse.ArgumentParser(description="Sign in to an emergency account.")
    parser.add_argument("file", nargs="?", help="the kit; without one, what the portal reveals is asked for")
    parser.add_argument("--list", action="store_true", help="list the accounts in it and end")
    parser.add_argument("--tenant", help="the tenant to sign in to, where the kit has several")
    parser.add_argument("--url", default=PORTAL, help=f"what to open; {PORTAL} otherwise")
    parser.add_argument("--browser", help="path of a Chromium, Chrome or Edge")
    parser.add_argument("--browser-argument", action="append", default=[], help="one more argument of that browser")
    given = parser.parse_args()
    try:
        passkeys = _of_file(given.file) if given.file else _revealed()
        if given.list:
            for one in passkeys:
                sys.stdout.write(f"{one.tenant}  {one.account_name}\n")
            return 0
        passkey = _choose(passkeys, given.tenant)
        _say(f"Signing in as {passkey.account_name}. Close the window to end; its profile is deleted.")
        browse(passkey, given.url, program=given.browser, arguments=given.browser_argument)
    except (KitError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _of_file(name: str) -> tuple[Passkey, ...]:
    with open(name, "rb") as file:  # noqa: PTH123  # one import less in a file that people read
        content = file.read()
    return open_kit(content, read_passphrase("Passphrase: ")).passkeys


def _revealed() -> tuple[Passkey, ...]:
    """Have a person carry the public key to the portal, and back what it shows."""
    key = OneTimeKey()
    _say(f"Public key: {key.public}")
    _say(f"Its code:   {code_of(key.public)}")
    _say("Put the key into the form Reveal of the portal, which shows the same code, and paste here what you get:")
    text = ""
    while _END not in text:
        if not (line := sys.stdin.readline()):
            break
        text += line
    return key.open(*from_paste(text))


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _choose(passkeys: Sequence[Passkey], tenant: str | None) -> Passkey:
    fitting = [one for one in passkeys if tenant in {None, one.tenant, one.tenant_id}]
    if len(fitting) != 1:
        names = ", ".join(sorted({one.tenant for one in passkeys}))
        raise KitError(f"Choose one with --tenant: {names}." if passkeys else "The kit is empty.")
    return fitting[0]


if __name__ == "__main__":
    sys.exit(main())
