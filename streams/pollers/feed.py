"""One feed as the operator lists it, checks of its URL and id, and how a poll of it can end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from yarl import URL

from config.redaction import redact_secrets

# What no URL holds as it stands (RFC 3986, 2): programs read a backslash in different ways.
ODD_CHARACTERS: Final = re.compile(r"[\\\x00-\x1f\x7f]")
PollOutcome = Literal[
    "new",              # at least one new or revised item
    "unchanged",        # 200, but nothing in it is new
    "not_modified",     # 304
    "empty",            # 200 without a byte in the body
    "truncated",        # the document stops before its end: what is whole in it was taken
    "malformed",        # a feed that can't be read, or one that declares dangerous entities
    "not_a_feed",       # a page or another kind of document
    "too_large",        # more decoded bytes than the settings allow
    "http_4xx",
    "http_5xx",
    "throttled",        # 429, or 503 with Retry-After
    "gone",             # 410
    "redirects",        # too many, a loop, nowhere, or to something that is not http
    "dns",
    "connect",
    "reset",            # the connection ended within the answer
    "tls",
    "timeout",
    "bad_response",     # no HTTP
    "exhausted",        # no file was left to open: our own fault, and nothing is held against the feed
    "bug",              # our own fault in reading it
    "robots",           # robots.txt forbids it, and the settings obey
    "credentials",      # of a source: it refuses who we say we are, or nobody has told us
    "cursor",           # of a source: it does not know the place from which we go on
    "blocked_address",  # an address that the settings do not open
]  # fmt: skip
SOUND_OUTCOMES: Final[frozenset[PollOutcome]] = frozenset({"new", "unchanged", "not_modified"})
NETWORK_OUTCOMES: Final[frozenset[PollOutcome]] = frozenset(
    {"dns", "connect", "timeout"}
)  # may be our own network's fault


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed. `interval` is in seconds and fixes the polling interval; `timezone` is an IANA name for its dates."""

    id: str
    url: str
    title: str = ""
    language: str | None = None
    source: str | None = None
    timezone: str | None = None
    interval: float | None = None
    paused: bool = False
    basic_auth_env: str | None = None
    bearer_token_env: str | None = None
    proxy_env: str | None = None

    @property
    def shown_url(self) -> str:
        """The URL without what may be a secret, for logs, events and the desk."""
        return redact_secrets(self.url)


def find_url_fault(url: str) -> str | None:
    """What is wrong with a feed's URL, or None."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        host = host and URL(url).raw_host  # as it is asked for
    except ValueError as error:
        return f"{redact_secrets(url)!r} is no URL: {redact_secrets(str(error))}"
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return f"{redact_secrets(url)!r} is no http or https URL"
    if odd := ODD_CHARACTERS.search(url):
        return f"{redact_secrets(url)!r} has {odd[0]!r} in it; write it as %{ord(odd[0]):02X} where it belongs there"
    return None


def make_feed_id(name: str, url: str, taken: Mapping[str, Any] | set[str] = frozenset()) -> str:  # type: ignore[assignment]
    """A short stable id from a feed's title or host; a hash of the URL keeps it apart from those taken."""
    base = (
        re.sub(r"[^a-z0-9]+", "-", (name or urlsplit(url).hostname or "feed").lower()).strip("-")[:48]
        or "feed"
    )
    return base if base not in taken else f"{base}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"
