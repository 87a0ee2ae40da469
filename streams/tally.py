"""What ``wiredesk process`` made of its inputs, counted by wire format: one line each, for people to read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from processors.errors import Rejected
from processors.model.event import Event, RawItem
from streams.process import Input, Result

UNKNOWN: Final = "unknown"  # of what could not be read far enough to tell


@dataclass(slots=True)
class Count:
    """Of one format. `refused` counts items by the type of their error."""

    files: int = 0
    items: int = 0
    events: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Tally:
    """Counts batch by batch. A file counts once a format, however many lines or portions it was read in."""

    def __init__(self) -> None:
        self.files = 0
        self._counts: dict[str, Count] = defaultdict(Count)
        self._last: dict[str, str] = {}  # format to the file that it was last read in
        self._path: str | None = None

    def add(self, inputs: Sequence[Input], results: Sequence[Result]) -> None:
        """Count the inputs of a batch and what came of them."""
        made: dict[int, list[Result]] = defaultdict(list)
        for result in results:
            made[id(result.source)].append(result)
        for source in inputs:
            self.files += source.path != self._path
            self._path = source.path
            self._add(source, made[id(source)])

    @property
    def refused(self) -> int:
        """How many items became no event."""
        return sum(count.refused.total() for count in self._counts.values())

    def lines(self) -> Iterator[str]:
        """A line a format, that with most items first, and one for all of them."""
        rows = sorted(self._counts.items(), key=lambda row: (-row[1].items, row[0]))
        total = Count(self.files)
        for _, count in rows:
            total.items += count.items
            total.events += count.events
            total.refused += count.refused
        told = [*rows, ("total", total)]
        width = max(len(name) for name, _ in told)
        return (_line(name.ljust(width), count) for name, count in told)

    def _add(self, source: Input, results: Sequence[Result]) -> None:
        name = _format(source, results)
        count = self._counts[name]
        count.files += self._last.get(name) != source.path
        self._last[name] = source.path
        count.items += len(results)
        for result in results:
            if isinstance(result.event, Event):
                count.events += 1
            else:
                count.refused[result.event.type] += 1


def _format(source: Input, results: Sequence[Result]) -> str:
    """The wire format of an input: as an event of it tells, else as it was told or is sniffed."""
    for result in results:
        if isinstance(result.event, Event) and result.event.provenance:
            return result.event.provenance.format
    if not isinstance(source.item, RawItem):
        return UNKNOWN
    return source.item.format or _sniffed(source.item.payload)


def _sniffed(payload: bytes) -> str:
    from processors.normalise.decode import decode  # with all readers, so only here
    from processors.normalise.sniff import sniff

    try:
        return sniff(decode(payload))
    except Rejected:
        return UNKNOWN


def _line(name: str, count: Count) -> str:
    parts = [_number(count.files, "file"), _number(count.items, "item"), _number(count.events, "event")]
    line = f"{name}  {', '.join(parts)}"
    if count.refused:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in count.refused.most_common())
        line += f", {count.refused.total():,} refused: {reasons}"
    return line


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
