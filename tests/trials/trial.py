"""A situation of the trials: when its fault was told and healed, what was lost or came twice; and the table of all."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

TOLD_WITHIN_S: Final = 30.0
HEALED_WITHIN_S: Final = 30.0
LOOK_INTERVAL_S: Final = 0.1
HEADINGS: Final = ("", "situation", "told after", "healed after", "lost", "twice")


class Trial:
    """One situation. `begin` and `end` are the times of its cause; what is never asked for stays empty in the table."""

    def __init__(self, number: str, situation: str) -> None:
        """`number` is unique among the trials, `situation` what somebody does to the servers."""
        self.number, self.situation = number, situation
        self.told_s: dict[str, float] = {}  # by log, figure, readyz …
        self.healed_s: float | None = None
        self.lost: int | None = None
        self.twice: int | None = None
        self._began = self._ended = time.monotonic()

    def begin(self) -> None:
        """The fault begins now."""
        self._began = time.monotonic()

    def end(self) -> None:
        """Its cause ends now."""
        self._ended = time.monotonic()

    async def wait_until_told(self, by: str, is_told: Callable[[], bool]) -> None:
        """Return once the fault is told in one way, such as ``log``; fail where that takes too long."""
        await _until(lambda: _at_once(is_told), TOLD_WITHIN_S, f"{self.situation}: not told by {by}")
        self.told_s[by] = time.monotonic() - self._began

    async def wait_until_healed(self, is_healed: Callable[[], Awaitable[bool]]) -> None:
        """Return once all goes on by itself; fail where that takes too long."""
        await _until(is_healed, HEALED_WITHIN_S, f"{self.situation}: not healed")
        self.healed_s = time.monotonic() - self._ended

    def count(self, expected: Iterable[str], arrived: Iterable[str]) -> None:
        """Compare what should have arrived with what did, and fail where any is missing or came twice."""
        counts = Counter(arrived)
        missing = set(expected) - counts.keys()
        repeated = [name for name, number in counts.items() if number > 1]
        self.lost, self.twice = len(missing), len(repeated)
        assert not missing, f"{self.situation}: lost {sorted(missing)[:5]}"
        assert not repeated, f"{self.situation}: twice {sorted(repeated)[:5]}"

    def row(self) -> tuple[str, ...]:
        """The line of the table."""
        told = ", ".join(f"{by} {seconds:.1f} s" for by, seconds in self.told_s.items())
        healed = "" if self.healed_s is None else f"{self.healed_s:.1f} s"
        return self.number, self.situation, told, healed, _text(self.lost), _text(self.twice)


def as_table(trials: Sequence[Trial]) -> list[str]:
    """The lines of a Markdown table, by number."""
    rows = [trial.row() for trial in sorted(trials, key=lambda trial: (len(trial.number), trial.number))]
    return [_line(HEADINGS), "|---" * len(HEADINGS) + "|", *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


async def _at_once(look: Callable[[], bool]) -> bool:
    return await asyncio.to_thread(look)


async def _until(is_done: Callable[[], Awaitable[bool]], seconds: float, words: str) -> None:
    deadline = time.monotonic() + seconds
    while not await is_done():
        assert time.monotonic() < deadline, f"{words} within {seconds:g} s"
        await asyncio.sleep(LOOK_INTERVAL_S)
