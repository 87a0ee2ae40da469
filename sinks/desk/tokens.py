"""The tokens of the desk: made, listed and revoked by ``wiredesk token``, looked up at every request that shows one.

The file holds a SHA-256 hash of each, never the token. A slow hash (scrypt, argon2) would protect words that people think
of; a token is 256 random bits, which nobody guesses however fast the hash is, and a slow one would only let callers with
wrong tokens take the processor. Looking one up by its hash tells by its time nothing but where hashes differ.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec
import structlog
from msgspec import Struct

from config import Misconfigured
from config.files import find_file
from config.settings import Settings
from processors.numbers import parse_int64
from processors.times import to_milliseconds, to_timestamp

Scope = Literal["read", "operate"]
ALL_SCOPES: Final[frozenset[Scope]] = frozenset({"read", "operate"})
TOKEN_PREFIX: Final = "wdt_"  # noqa: S105 -- by which scanners for secrets know one, and no secret
TOKEN_BYTES: Final = 32  # random ones: 256 bits, as many as the hash has
MAX_NAME_CHARS: Final = 80
DAY_MS: Final = 86_400_000
MAX_EXPIRY_DAYS: Final = 36_500  # a hundred years: more is no date any more, less forbids what "never" allows
FILE_NAME: Final = "tokens.json"  # in the data folder
log = structlog.get_logger("wiredesk.desk")


class DeskToken(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A token as it is kept. Times are RFC 3339; `expires` None: never."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    sha256: str
    created: str
    expires: str | None = None

    def is_valid(self, now_ms: int) -> bool:
        """Whether it has not expired. A clock that was ahead when it was made does it no harm."""
        return self.expires is None or now_ms < to_milliseconds(self.expires)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    tokens: tuple[DeskToken, ...] = ()


class TokenFile:
    """The tokens of one file. It is read again when it has changed, so that what is revoked is refused at once."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch. There need be no file yet.

        Raises:
            Misconfigured: there is one, and it can't be read.
        """
        self.path, self._clock = path, clock
        self._seen: tuple[int, int, int] | None = None
        self._by_hash: dict[str, DeskToken] = {}
        self._by_id: dict[str, DeskToken] = {}
        self._was_there = False
        if path.exists():
            self._keep(self._load_tokens())
            self._seen = self._identity()

    @property
    def is_in_use(self) -> bool:
        """Whether there is a file, or was one since the start: a file that vanishes opens no door."""
        self._refresh()
        return self._was_there

    def find(self, shown: str) -> DeskToken | None:
        """The token that a caller shows; None where it is none, revoked or expired."""
        self._refresh()
        digest = hash_token(shown)
        return self._valid(self._by_hash.get(digest))

    def get(self, identity: str) -> DeskToken | None:
        """The token of an id, for sessions; None where it is revoked or expired."""
        self._refresh()
        return self._valid(self._by_id.get(identity))

    def create(self, name: str, scopes: Sequence[Scope], days: int | None) -> tuple[DeskToken, str]:
        """Add a token; what is kept of it, and the token itself, which nobody sees again.

        Raises:
            Misconfigured: another token has that name, or the file can't be written.
        """
        now = int(self._clock() * 1000)
        secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        expires = None if days is None else to_timestamp(now + days * DAY_MS)
        token = DeskToken(
            secrets.token_hex(4), name, tuple(sorted(scopes)), hash_token(secret), to_timestamp(now), expires
        )
        with self._locked():
            kept = self._load_tokens()
            if any(other.name == name for other in kept):
                raise Misconfigured(
                    f"{self.path}: a token is called {name!r} already; revoke it, or choose another name"
                )
            self._replace_file((*kept, token))
        return token, secret

    def list(self) -> tuple[DeskToken, ...]:
        """All tokens, expired ones too, in the order in which they were made."""
        return self._load_tokens()

    def revoke(self, name: str) -> DeskToken:
        """Forget the token of a name or id, and return it.

        Raises:
            Misconfigured: there is none, or the file can't be written.
        """
        with self._locked():
            kept = self._load_tokens()
            gone = next((token for token in kept if name in {token.name, token.id}), None)
            if gone is None:
                names = ", ".join(token.name for token in kept) or "there is none"
                raise Misconfigured(f"{self.path}: no token is called {name!r}; tokens: {names}")
            self._replace_file(tuple(token for token in kept if token is not gone))
        return gone

    def _valid(self, token: DeskToken | None) -> DeskToken | None:
        return token if token and token.is_valid(int(self._clock() * 1000)) else None

    def _refresh(self) -> None:
        """Read the file again where it has changed; while it can't be read, no token of it is worth anything."""
        identity = self._identity()
        if identity == self._seen:
            return
        self._seen = identity
        try:
            self._keep(self._load_tokens() if identity else ())
        except Misconfigured as error:
            self._keep(())
            log.error("the tokens can't be read: nobody is let in by one", reason=str(error))  # noqa: TRY400 -- no bug

    def _keep(self, tokens: Sequence[DeskToken]) -> None:
        self._was_there = True
        self._by_hash = {token.sha256: token for token in tokens}
        self._by_id = {token.id: token for token in tokens}

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _load_tokens(self) -> tuple[DeskToken, ...]:
        try:
            with self.path.open("rb") as stream:
                raw, mode = stream.read(), stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise Misconfigured(f"{self.path}: {error.strerror}; let this user read it") from error
        if mode & stat.S_IROTH:
            log.warning("everybody on this machine can read the tokens' file; chmod 600", path=str(self.path))
        try:
            kept = msgspec.json.decode(raw, type=_File).tokens
            for token in kept:
                if token.expires:
                    to_milliseconds(token.expires)
        except (msgspec.DecodeError, UnicodeError, ValueError) as error:
            raise Misconfigured(f"{self.path}: no file of tokens: {error}") from error
        return kept

    def _replace_file(self, tokens: tuple[DeskToken, ...]) -> None:
        """Replace the file in one step, readable by its owner alone from its first moment."""
        new = self.path.with_name(f"{self.path.name}.tmp")
        text = msgspec.json.format(msgspec.json.encode(_File(tokens)), indent=2) + b"\n"
        try:
            new.unlink(missing_ok=True)
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(self.path)
        except OSError as error:
            raise Misconfigured(f"{self.path}: {error.strerror}; let this user write there") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, of all processes on this machine."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Misconfigured(f"{self.path}: {error.strerror}; let this user write there") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def open_token_file(settings: Settings, data: Path | None = None) -> TokenFile:
    """The file of the tokens: that of the settings, else the one in the data folder.

    Raises:
        Misconfigured: there is one, and it can't be read.
    """
    if settings.desk.tokens:
        return TokenFile(find_file(settings.desk.tokens))
    return TokenFile((data or Path(settings.embedded.data)) / FILE_NAME)


def hash_token(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def parse_expiry_days(text: str) -> int | None:
    """Days of ``90d``, ``12w`` or ``1y``; None for ``never``.

    Raises:
        ValueError: it is none of these.
    """
    if text == "never":
        return None
    days = {"d": 1, "w": 7, "y": 365}.get(text[-1:])
    count = parse_int64(text[:-1])
    if days is None or not count or count * days > MAX_EXPIRY_DAYS:
        raise ValueError(f"{text!r}: write 90d, 12w, 1y or never")
    return count * days


def describe_expiry(timestamp: str | None, now: datetime) -> str:
    """When a token expires, in days; for lists that people read."""
    if timestamp is None:
        return "never"
    left = datetime.fromisoformat(timestamp) - now
    return "expired" if left <= timedelta() else f"in {left.days} days"
