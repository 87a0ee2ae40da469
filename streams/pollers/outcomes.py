"""How a poll can end: one word each, told in health, metrics and raw items, and never guessed from a message."""

from __future__ import annotations

from typing import Final, Literal

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
    "bug",              # our own fault in reading it
    "robots",           # robots.txt forbids it, and the settings obey
    "blocked_address",  # an address that the settings do not open
]  # fmt: skip

SOUND_OUTCOMES: Final[frozenset[PollOutcome]] = frozenset({"new", "unchanged", "not_modified"})
NETWORK_OUTCOMES: Final[frozenset[PollOutcome]] = frozenset(
    {"dns", "connect", "timeout"}
)  # may be our own network's fault
