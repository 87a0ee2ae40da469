"""The dead letters, worked off from the desk, through what ``wiredesk dlq`` uses in either runtime."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

from config import Misconfigured
from processors.times import read_milliseconds
from sinks.desk.control import (
    LetterChoice,
    LetterDetail,
    LetterFilter,
    LetterOutcome,
    LetterPage,
    ListedLetter,
)
from sinks.desk.operations import Refused
from sinks.search import BadCursor
from streams.dead_letters import (
    DeadLetter,
    DeadLetterSource,
    Filter,
    filter_letters,
    find_letter,
    parse_letter_id,
    replay_letters,
)
from streams.topology import DEAD_LETTERS

T = TypeVar("T")
LETTER_TOPICS: Final = tuple(topic.name for topic in DEAD_LETTERS)
# Letters of one change by a filter: more hold a transaction for seconds, during which the embedded pipeline waits.
MAX_CHANGED: Final = 10_000
MAX_SHOWN_BYTES: Final = 64 * 1024  # of a letter on its page; the whole is a file to load
MAX_MESSAGE_CHARS: Final = 1000


class LetterDesk:
    """`sinks.desk.control.LetterControl`; `open_source` is called in a thread, once for each call."""

    def __init__(
        self,
        open_source: Callable[[], DeadLetterSource],
        check_source: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Nothing is opened yet. `check_source` raises `Transient` where opening would wait for a server."""
        self._open_source, self._check_source = open_source, check_source
        self._turn = asyncio.Lock()

    async def list(self, wanted: LetterFilter, limit: int, after: str | None) -> LetterPage:
        """A page of those that fit; `after` is the id of the last letter of the page before, which may be gone."""
        chosen, start = _as_filter(wanted), _place(after)
        return await self._run(lambda source: _page(filter_letters(source, chosen), limit, start))

    async def find(self, identity: str) -> LetterDetail | None:
        """One of them."""
        letter = await self._run(lambda source: find_letter(source, identity))
        return None if letter is None else _detail(letter)

    async def payload(self, identity: str) -> bytes | None:
        """The bytes that were rejected."""
        letter = await self._run(lambda source: find_letter(source, identity))
        return None if letter is None else letter.payload

    async def replay(self, choice: LetterChoice) -> LetterOutcome:
        """Put letters back to where they were read; those that came back three times only by force."""

        def replay(source: DeadLetterSource) -> LetterOutcome:
            letters, missing = _choose(source, choice)
            outcome = replay_letters(source, letters, force=choice.force)
            return LetterOutcome(outcome.count, _ids(outcome.worn_out), missing, _ids(outcome.empty))

        return await self._run(replay)

    async def drop(self, choice: LetterChoice) -> LetterOutcome:
        """Forget letters."""

        def drop(source: DeadLetterSource) -> LetterOutcome:
            letters, missing = _choose(source, choice)
            return LetterOutcome(source.drop(letters), missing=missing)

        return await self._run(drop)

    async def _run(self, call: Callable[[DeadLetterSource], T]) -> T:
        """Call with the source open, one call at a time: each holds what it reads."""

        def run() -> T:
            source = self._open_source()
            try:
                return call(source)
            finally:
                source.close()

        async with self._turn:
            if self._check_source:
                await self._check_source()
            try:
                return await asyncio.to_thread(run)
            except Misconfigured as error:
                raise Refused(str(error)) from error


def _page(letters: Iterator[DeadLetter], limit: int, start: tuple[int, int, int] | None) -> LetterPage:
    page: list[ListedLetter] = []
    for letter in letters:
        if start is not None and _order(letter) <= start:
            continue
        if len(page) == limit:
            return LetterPage(tuple(page), page[-1].id)
        page.append(_listed(letter))
    return LetterPage(tuple(page), None)


def _order(letter: DeadLetter) -> tuple[int, int, int]:
    record = letter.record
    return LETTER_TOPICS.index(record.topic), record.partition, record.offset


def _place(after: str | None) -> tuple[int, int, int] | None:
    """Where a cursor stands in the order of letters, which it keeps when its own letter is gone."""
    if after is None:
        return None
    place = parse_letter_id(after)
    if place is None:
        raise BadCursor
    topic, partition, offset = place
    return LETTER_TOPICS.index(topic), partition, offset


def _ids(letters: Sequence[DeadLetter]) -> tuple[str, ...]:
    return tuple(letter.id for letter in letters)


def _choose(source: DeadLetterSource, choice: LetterChoice) -> tuple[Sequence[DeadLetter], tuple[str, ...]]:
    """The letters of a choice, and the ids that name none."""
    if bool(choice.ids) == (choice.filter is not None):
        raise Refused("name ids, or a filter with at least one member", 400)
    if choice.filter is not None:
        if choice.filter == LetterFilter():
            raise Refused("a filter needs at least one member, so that nobody changes all by mistake", 400)
        letters = list(filter_letters(source, _as_filter(choice.filter)))
        if len(letters) > MAX_CHANGED:
            raise Refused(f"{len(letters)} letters fit; narrow the filter to {MAX_CHANGED} at the most")
        return letters, ()
    found = {identity: find_letter(source, identity) for identity in choice.ids}
    missing = tuple(identity for identity, letter in found.items() if letter is None)
    return [letter for letter in found.values() if letter is not None], missing


def _as_filter(wanted: LetterFilter) -> Filter:
    times = []
    for name, text in (("since", wanted.since), ("until", wanted.until)):
        moment = None if text is None else read_milliseconds(text)
        if text is not None and moment is None:
            raise Refused(f"{name}={text}: use an RFC 3339 time such as 2026-01-31T12:00:00Z", 400)
        times.append(moment)
    return Filter(wanted.step, wanted.error, wanted.feed, *times)


def _listed(letter: DeadLetter) -> ListedLetter:
    return ListedLetter(
        letter.id,
        letter.step,
        letter.error,
        letter.message[:MAX_MESSAGE_CHARS],
        letter.feed,
        letter.time,
        letter.replays,
        len(letter.record.value),
    )


def _detail(letter: DeadLetter) -> LetterDetail:
    payload = letter.payload
    headers = tuple(
        (name, value.decode("utf-8", "backslashreplace")[:MAX_MESSAGE_CHARS])
        for name, value in letter.record.headers
    )
    text = payload[:MAX_SHOWN_BYTES].decode("utf-8", "replace")
    return LetterDetail(_listed(letter), letter.origin, headers, text, len(payload) > MAX_SHOWN_BYTES)
