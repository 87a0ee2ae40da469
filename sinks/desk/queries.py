"""What a reader asked, from the query part of an address, with the same names on pages and in the API; and its turn.

Who searches much waits for its own searches, and nobody waits for another's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final, get_args
from urllib.parse import parse_qs, urlencode

from aiohttp import web

from processors.media_topics import CODE_PREFIX, TOPIC_SCHEME
from processors.model.event import Relation
from processors.numbers import parse_int64
from sinks.search import Order, Query

MAX_LIMIT: Final = 200
# Searches of one reader at once. More, and a few readers take all threads of the index; pages ask for one at a time.
MAX_SEARCHES: Final = 1
# Searches of one reader that wait. More keep answers for pages that are long closed; fewer turn away a reader with many
# open pages, or an office behind one address without logins.
MAX_WAITING: Final = 8
MEANT_NAMES: Final = {
    "lang": "language",
    "from": "since",
    "to": "until",
    "query": "q",
    "search": "q",
    "cursor": "after",
}
_AGO: Final = re.compile(r"(\d{1,4})([hd])")


class BadQuery(ValueError):
    """A parameter has a value that means nothing; the message names it and says what is allowed."""


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """A query, and the parameters that make it, for links to its pages."""

    query: Query
    parameters: tuple[tuple[str, str], ...]

    def link(self, **changed: str | None) -> str:
        """The address of this query with some parameters changed or, with None, left out."""
        kept = {name: value for name, value in self.parameters if name != "after"}
        parameters = {name: value for name, value in {**kept, **changed}.items() if value}
        return f"/?{urlencode(parameters)}" if parameters else "/"


def read_query(parameters: Mapping[str, str], page_size: int, now: datetime) -> AskedQuery:
    """The query that the parameters of an address ask for. `check_parameters` refuses unknown ones.

    `now` is what ``since=24h`` counts from.

    Raises:
        BadQuery: a value that means nothing.
    """
    given = {name: parameters[name].strip() for name in PARAMETER_NAMES if parameters.get(name, "").strip()}
    words = given.get("q", "")
    query = Query(
        words=words,
        language=given.get("language"),
        feed=given.get("feed"),
        relation=_one_of("relation", given.get("relation"), get_args(Relation)),
        entity=given.get("entity"),
        topic=_topic(given.get("topic")),
        since=_moment("since", given.get("since"), now),
        until=_moment("until", given.get("until"), now),
        order=_one_of("order", given.get("order"), get_args(Order)) or "newest",
        duplicates=_flag("duplicates", given.get("duplicates")),
        collapse=_flag("collapse", given.get("collapse")),
        versions=_flag("versions", given.get("versions")),
        grouped=_flag("grouped", given.get("grouped")),
        cluster=given.get("cluster"),
        limit=_limit(given.get("limit"), page_size),
        after=given.get("after"),
    )
    return AskedQuery(query, tuple(given.items()))


PARAMETER_NAMES: Final = (
    "q", "language", "feed", "relation", "entity", "topic", "since", "until", "order", "duplicates", "collapse", "versions",
    "grouped", "cluster", "limit", "after",
)  # fmt: skip


def check_parameters(parameters: Mapping[str, str], allowed: Collection[str]) -> None:
    """Refuse a parameter that an address does not know: a filter that is passed over would answer with everything.

    Raises:
        BadQuery: there is one; the message says which are known, and which one may have been meant.
    """
    for name in parameters:
        if name not in allowed:
            meant = MEANT_NAMES.get(name) or next(iter(get_close_matches(name, allowed, 1)), None)
            known = f"use {', '.join(allowed)}" if allowed else "this address takes none"
            hint = f" (did you mean {meant}?)" if meant in allowed else ""
            raise BadQuery(f"{name}: there is no such parameter{hint}; {known}")


def _one_of(name: str, value: str | None, allowed: tuple[str, ...]) -> Any:
    if value is not None and value not in allowed:
        raise BadQuery(f"{name}={value}: use one of {', '.join(allowed)}")
    return value


def _flag(name: str, value: str | None) -> bool:
    if value not in {None, "1", "0", "true", "false", "on"}:
        raise BadQuery(f"{name}={value}: use 1 or 0")
    return value in {"1", "true", "on"}


def _limit(value: str | None, page_size: int) -> int:
    if value is None:
        return page_size
    number = parse_int64(value)
    if number is None or not 1 <= number <= MAX_LIMIT:
        raise BadQuery(f"limit={value}: use a number from 1 to {MAX_LIMIT}")
    return number


def _topic(value: str | None) -> str | None:
    """A topic's code, which may be given as its URI, as `story.subjects` has it."""
    if value and value.startswith(TOPIC_SCHEME):
        return CODE_PREFIX + value.removeprefix(TOPIC_SCHEME)
    return value


def _moment(name: str, value: str | None, now: datetime) -> str | None:
    if value is None:
        return None
    ago = _AGO.fullmatch(value)
    try:
        if ago:
            moment = now - timedelta(hours=int(ago[1]) * (24 if ago[2] == "d" else 1))
        else:
            moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadQuery(f"{name}={value}: use a time such as 2026-01-31T12:00:00Z, or 24h, or 7d") from None
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def read_form(body: bytes, max_fields: int) -> dict[str, str]:
    """The fields of a form of a page, whatever bytes it has; of those with one name, the first.

    Raises:
        web.HTTPBadRequest: it has more fields than any form of ours.
    """
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=max_fields)
    except ValueError as error:
        raise web.HTTPBadRequest(text="no form of this page") from error
    return {name: values[0] for name, values in fields.items()}


@dataclass(slots=True)
class _Line:
    """One reader's searches: those that run, and those that wait."""

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_SEARCHES))
    count: int = 0


class SearchTurns:
    """The searches that run and wait, by reader."""

    def __init__(self) -> None:
        """Nobody searches."""
        self._lines: dict[str, _Line] = {}

    @asynccontextmanager
    async def take_turn(self, reader: str) -> AsyncIterator[None]:
        """Wait for the reader's own searches before this one.

        Raises:
            web.HTTPServiceUnavailable: too many of them wait.
        """
        line = self._lines.setdefault(reader, _Line())
        if line.count >= MAX_SEARCHES + MAX_WAITING:
            raise web.HTTPServiceUnavailable(
                text="too many of your searches wait; try again in a moment", headers={"Retry-After": "2"}
            )
        line.count += 1
        try:
            async with line.slots:
                yield
        finally:
            line.count -= 1
            if not line.count:
                del self._lines[reader]
