"""The whole pipeline in one process, over files or lines: what ``wiredesk process`` runs.

`Pipeline` executes the steps of `streams.topology` on values, without messages in between. `read_inputs` turns paths
into raw items, a line or a file each, without ever holding more than one item over the size cap in memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from msgspec.structs import replace

from config.settings import Settings
from processors.errors import Bug, Empty, Rejected, TooLarge
from processors.model.event import Event, RawItem
from streams import steps as stages
from streams.files import STANDARD, Refused, shown, unreadable
from streams.topology import STEPS, Step

BATCH: Final = 32  # items that pass the steps together


@dataclass(frozen=True, slots=True)
class Input:
    """One item of the input: its path as given, its line (from 1, None for a whole file), and what was read."""

    path: str
    line: int | None
    item: RawItem | Rejected


@dataclass(frozen=True, slots=True)
class Result:
    """One event of an input, or why there is none."""

    source: Input
    event: Event | Rejected | Bug


class Pipeline:
    """The loaded steps, in the order of the topology. Keeps the deduplicator's window between calls."""

    def __init__(self, steps: Sequence[Step], settings: Settings) -> None:
        """Load the steps (slow where models are among them)."""
        self._stages = [(step, stages.start(step.name, settings)) for step in steps]

    def __call__(self, inputs: Sequence[Input]) -> list[Result]:
        """The results of a batch, in input order; one input may give several or none."""
        results = [Result(source, source.item) for source in inputs if isinstance(source.item, Rejected)]
        flowing: list[tuple[Input, RawItem | Event]] = [
            (source, source.item) for source in inputs if isinstance(source.item, RawItem)
        ]
        order = {id(source): number for number, source in enumerate(inputs)}
        for number, (step, stage) in enumerate(self._stages):
            outcomes = stage([value for _, value in flowing])
            passed = [source for source, _ in flowing]
            flowing = []
            for source, outcome in zip(passed, outcomes, strict=True):
                for each in _told(outcome):
                    done = number == len(self._stages) - 1 or not isinstance(each, Event) or _ends(step, each)
                    if done:
                        results.append(Result(source, each))
                    elif isinstance(each, Event):
                        flowing.append((source, each))
        return sorted(results, key=lambda result: order[id(result.source)])


def chosen(names: Sequence[str]) -> tuple[Step, ...]:
    """The steps of these names, in the order of the topology. KeyError names one that does not exist."""
    known = {step.name for step in STEPS}
    for name in names:
        if name not in known:
            raise KeyError(name)
    return tuple(step for step in STEPS if step.name in names)


def read_inputs(
    paths: Iterable[str | Refused], standard: BinaryIO, *, now: str, format_: str | None, limit: int
) -> Iterator[Input]:
    """The items of all paths in order; ``-`` and ``*.jsonl`` hold one ninjs item a line.

    A file that can't be read, or not to its end, is `Unreadable`; the next one is read.

    Args:
        paths: files as the user named them or `streams.files` found them, and what it refused.
        standard: what ``-`` reads.
        now: RFC 3339, the time at which everything counts as received.
        format_: overrides sniffing; None sniffs.
        limit: bytes of one item; a larger one is `TooLarge` and its bytes are skipped.
    """
    for path in paths:
        if isinstance(path, Refused):
            yield Input(shown(path.path), None, path.error)
            continue
        template = RawItem(b"", now, input=shown(path), format=format_)
        try:
            if path == STANDARD:
                yield from _lines(standard, template, limit)
            else:
                with Path(path).open("rb") as stream:
                    yield from (_lines if path.endswith(".jsonl") else _document)(stream, template, limit)
        except OSError as error:
            yield Input(shown(path), None, unreadable(path, error))


def batches(inputs: Iterable[Input]) -> Iterator[list[Input]]:
    """The inputs in batches, each of which passes the steps together."""
    stream = iter(inputs)
    while batch := list(itertools.islice(stream, BATCH)):
        yield batch


def _told(outcome: stages.Outcome) -> tuple[Event | Rejected | Bug, ...]:
    if isinstance(outcome, Exception):
        bug = Bug(f"{type(outcome).__name__}: {outcome}; please report it with this input")
        bug.__cause__ = outcome
        return (bug,)
    return tuple(each.event if isinstance(each, stages.Made) else each for each in outcome)


def _ends(step: Step, event: Event) -> bool:
    """Whether nothing reads what the step wrote: a duplicate skips the steps behind deduplicate."""
    topic = step.route(event)
    return not any(topic in later.reads for later in STEPS)


def _document(stream: BinaryIO, template: RawItem, limit: int) -> Iterator[Input]:
    """A file as one document, or in portions where it is longer than one item may be."""
    from processors.normalise.portions import portions  # with all readers, so only here

    path = template.input or STANDARD
    payload = stream.read(limit + 1)
    if len(payload) <= limit:
        yield Input(path, None, replace(template, payload=payload))
        return
    stream.seek(0)
    try:
        for portion in portions(stream.read, limit):
            yield Input(path, None, replace(template, payload=portion))
    except TooLarge as error:
        yield Input(path, None, error)


def _lines(stream: BinaryIO, template: RawItem, limit: int) -> Iterator[Input]:
    path = template.input or STANDARD
    line_item = replace(template, format=template.format or "ninjs")
    for number in itertools.count(1):
        line = stream.readline(limit + 1)
        if not line:
            return
        if len(line) > limit and not line.endswith(b"\n"):
            _skip_line(stream)
            yield Input(path, number, _too_large(limit))
        elif not line.strip():
            yield Input(path, number, Empty("a line without an item; remove it, or write one item a line"))
        else:
            yield Input(path, number, replace(line_item, payload=line.rstrip(b"\r\n")))


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(1 << 20)) and not rest.endswith(b"\n"):
        pass


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"over {limit:,} bytes; raise normalise.max_item_bytes in the settings if it is one item")
