"""The whole pipeline in one process, over files or lines: what ``wiredesk process`` runs.

`Pipeline` executes the steps of `streams.topology` on values, without messages in between. `read_inputs` turns paths
into raw items, a line or a file each, without ever holding more than one item over the size cap in memory.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from msgspec.structs import replace

from config.settings import Settings
from processors.errors import Bug, Empty, Rejected, TooLarge, Unreadable
from processors.model.event import Event, RawItem
from streams.files import STDIN_PATH, RefusedPath, open_regular, printable_path, unreadable_error
from streams.steps import NewEvent, StageOutcome, limit_outgoing, load_stage
from streams.topology import STEP_NAMES, STEPS, Step, Topic

# Items that pass the steps together, as many as a block of the deduplicator. With half of it that looks stories up in
# parts, which takes a twentieth longer; with many, memory grows and the first event of a pipe comes late.
BATCH_ITEMS: Final = 64
UNKNOWN_FORMAT: Final = "unknown"  # of what could not be read far enough to tell


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


PassingValue = tuple[Input, RawItem | Event]  # a value on its way, with the input that it came of


class Pipeline:
    """The loaded steps, walked along their topics. Keeps the deduplicator's window between calls."""

    def __init__(self, steps: Sequence[Step], settings: Settings) -> None:
        """Load the steps (slow where models are among them). The first step of the topology must be one of them."""
        if STEPS[0] not in steps:
            raise ValueError(f"{STEPS[0].name} reads the input, so it must be among the steps")
        self._stages = {step.name: load_stage(step.name, settings) for step in steps}
        self._limits = settings.events
        self._leading_on: set[Topic] = set()  # topics from which an event comes to one more of the steps
        for step in reversed(STEPS):
            if step in steps or self._leading_on.intersection(step.writes):
                self._leading_on.update(step.reads)

    def __call__(self, inputs: Sequence[Input]) -> list[Result]:
        """The results of a batch, in input order; one input may give several or none."""
        results = [Result(source, source.item) for source in inputs if isinstance(source.item, Rejected)]
        waiting: dict[str, list[PassingValue]] = defaultdict(list)
        waiting[STEPS[0].reads[0].name] = [
            (source, source.item) for source in inputs if isinstance(source.item, RawItem)
        ]
        for step in STEPS:
            flowing = [passing for topic in step.reads for passing in waiting[topic.name]]
            for source, value in self._run(step, flowing):
                if not isinstance(value, Event):
                    results.append(Result(source, value))
                elif (topic := step.route(value)) in self._leading_on:
                    waiting[topic.name].append((source, value))
                else:
                    results.append(Result(source, limit_outgoing(value, topic, self._limits)))
        order = {id(source): number for number, source in enumerate(inputs)}
        return sorted(results, key=lambda result: order[id(result.source)])

    def _run(
        self, step: Step, flowing: Sequence[PassingValue]
    ) -> Iterator[tuple[Input, Event | Rejected | Bug]]:
        """What a step makes of its inputs; a step that was left out passes events on untouched."""
        stage = self._stages.get(step.name)
        if stage is None:
            yield from ((source, event) for source, event in flowing if isinstance(event, Event))
            return
        outcomes = stage([value for _, value in flowing])
        for (source, _), outcome in zip(flowing, outcomes, strict=True):
            for new in outcome if isinstance(outcome, tuple) else ():
                if isinstance(new, NewEvent) and new.failed_rules:
                    from streams.health import report_failed_rules  # with the figures, so only here

                    report_failed_rules(step.name, new.event.story.uri, new.failed_rules)
            yield from ((source, value) for value in _values(outcome))


def chosen_steps(names: Sequence[str]) -> tuple[Step, ...]:
    """The steps of these names, in the order of the topology. KeyError names one that does not exist."""
    for name in names:
        if name not in STEP_NAMES:
            raise KeyError(name)
    return tuple(step for step in STEPS if step.name in names)


def read_inputs(
    paths: Iterable[str | RefusedPath], standard: BinaryIO, *, now: str, format_: str | None, limit: int
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
        if isinstance(path, RefusedPath):
            yield Input(printable_path(path.path), None, path.error)
            continue
        template = RawItem(b"", now, input=printable_path(path), format=format_)
        try:
            if path == STDIN_PATH:
                yield from _lines(standard, template, limit)
            else:
                with open_regular(path) as stream:
                    yield from (_lines if path.endswith(".jsonl") else _document)(stream, template, limit)
        except Unreadable as error:
            yield Input(printable_path(path), None, error)
        except OSError as error:
            yield Input(printable_path(path), None, unreadable_error(path, error))


def batches(inputs: Iterable[Input]) -> Iterator[list[Input]]:
    """The inputs in batches, each of which passes the steps together."""
    stream = iter(inputs)
    while batch := list(itertools.islice(stream, BATCH_ITEMS)):
        yield batch


@dataclass(slots=True)
class FormatCount:
    """What came of the inputs of one format. `refused` counts items by the type of their error."""

    files: int = 0
    items: int = 0
    events: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Tally:
    """Counts batch by batch. A file counts once a format, however many lines or portions it was read in."""

    def __init__(self) -> None:
        self.files = 0
        self._counts: dict[str, FormatCount] = defaultdict(FormatCount)
        self._last: dict[str, str] = {}  # format to the file that it was last read in
        self._path: str | None = None

    def add(self, inputs: Sequence[Input], results: Sequence[Result]) -> None:
        """Count the inputs of a batch and what came of them."""
        results_of: dict[int, list[Result]] = defaultdict(list)
        for result in results:
            results_of[id(result.source)].append(result)
        for source in inputs:
            self.files += source.path != self._path
            self._path = source.path
            self._add(source, results_of[id(source)])

    @property
    def refused(self) -> int:
        """How many items became no event."""
        return sum(count.refused.total() for count in self._counts.values())

    def lines(self) -> Iterator[str]:
        """A line a format, that with most items first, and one for all of them."""
        rows = sorted(self._counts.items(), key=lambda row: (-row[1].items, row[0]))
        total = FormatCount(self.files)
        for _, count in rows:
            total.items += count.items
            total.events += count.events
            total.refused += count.refused
        rows.append(("total", total))
        width = max(len(name) for name, _ in rows)
        return (_count_line(name.ljust(width), count) for name, count in rows)

    def _add(self, source: Input, results: Sequence[Result]) -> None:
        name = _format_of(source, results)
        count = self._counts[name]
        count.files += self._last.get(name) != source.path
        self._last[name] = source.path
        count.items += len(results)
        for result in results:
            if isinstance(result.event, Event):
                count.events += 1
            else:
                count.refused[result.event.type] += 1


def _values(outcome: StageOutcome) -> tuple[Event | Rejected | Bug, ...]:
    if isinstance(outcome, Exception):
        bug = Bug(f"{type(outcome).__name__}: {outcome}; please report it with this input")
        bug.__cause__ = outcome
        return (bug,)
    new = [result for result in outcome if not (isinstance(result, NewEvent) and result.is_copy)]
    return tuple(result.event if isinstance(result, NewEvent) else result for result in new)


def _document(stream: BinaryIO, template: RawItem, limit: int) -> Iterator[Input]:
    """A file as one document, or in portions where it is longer than one item may be."""
    from processors.normalise.portions import portions  # with all readers, so only here

    path = template.input or STDIN_PATH
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
    path = template.input or STDIN_PATH
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


def _format_of(source: Input, results: Sequence[Result]) -> str:
    """The wire format of an input: as an event of it says, else as the user named it, else sniffed."""
    for result in results:
        if isinstance(result.event, Event) and result.event.provenance:
            return result.event.provenance.format
    if not isinstance(source.item, RawItem):
        return UNKNOWN_FORMAT
    return source.item.format or _sniff_format(source.item.payload)


def _sniff_format(payload: bytes) -> str:
    from processors.normalise.decode import decode  # with all readers, so only here
    from processors.normalise.formats import sniff

    try:
        return sniff(decode(payload))
    except Rejected:
        return UNKNOWN_FORMAT


def _count_line(name: str, count: FormatCount) -> str:
    parts = [
        _with_noun(count.files, "file"),
        _with_noun(count.items, "item"),
        _with_noun(count.events, "event"),
    ]
    line = f"{name}  {', '.join(parts)}"
    if count.refused:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in count.refused.most_common())
        line += f", {count.refused.total():,} refused: {reasons}"
    return line


def _with_noun(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
