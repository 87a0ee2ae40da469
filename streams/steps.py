"""The steps at work: on values (`Stage`), and on messages (`Work`), which is what both runtimes run.

A stage takes a batch and gives one outcome an input: what came of it (`NewEvent`), what the sender did wrong
(`Rejected`), or the exception that is our own fault. It never raises for one input of a batch, so that the others go on.

To add a step, write a loader with ``@stage_loader(<name>)`` here, and its line in `streams.topology.STEPS`.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import mmap
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from msgspec.structs import replace

from config.lexicon import check_lexicon
from config.settings import Events, Settings
from processors.errors import OutOfMemory, Rejected
from processors.model.codec import decode
from processors.model.event import Event, Feature, KilledChain, Lineage, RawItem, StepTrace
from processors.model.story import AltId
from processors.rule_guard import FailedRule, RuleGuard
from processors.size_limit import RawPlace, leave_out_bodies, limit_event
from streams.messages import RAW_PLACE_HEADER, Message, Record, dead_letter, event_message
from streams.settlement import Outcome
from streams.topology import CLUSTERED, LINEAGE, SINK_READS, STEPS, Step, Topic

if TYPE_CHECKING:
    from processors.deduplicate import PreparedEvent

T = TypeVar("T")
# What a step may need for a record: so much, and so many times its size (the largest of the samples and of the hostile
# corpus need half of it). With less, honest records are blamed where memory is short; with more, one that asks for
# without end is taken for the operator's fault, and waits for ever.
HONEST_MEMORY_BYTES: Final = 64 << 20
HONEST_MEMORY_FACTOR: Final = 20
# What clients count beside an event: key and headers, of which those of usual uris take 1,000 bytes. Less, and a client that
# sends on what it read, with the default limit, refuses the longest; more cuts off text for nothing.
BESIDE_EVENT_BYTES: Final = 4_096
SAMPLE_ITEM: Final = RawItem(
    b'Ferry stops\n\nPORT ALDER, Jan 22 (NNA) - The ferry stopped on Monday. "It will sail again," Ada Quill said.\n',
    "2026-01-22T16:00:00Z",
)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that a step made, and what a step with state must remember of its input.

    One that `is_copy` says the same of another chain, under whose key it is written: a kill that names several stories.
    `failed_rules` of the step cost the event what they make.
    """

    event: Event
    memory: bytes = b""
    is_copy: bool = False
    failed_rules: tuple[FailedRule, ...] = ()


StageOutcome = tuple[NewEvent | Rejected, ...] | Exception


class Stage(Protocol):
    """A loaded step on values."""

    def __call__(self, items: Sequence[Any]) -> list[StageOutcome]:
        """One outcome for each input: a `RawItem` for a step that reads raw items, an `Event` for the others."""

    def restore(self, memory: bytes) -> None:
        """Take back what `NewEvent.memory` held, in the order of the log."""

    def sizes(self) -> Mapping[str, int]:
        """How many stories, and clusters, are remembered; empty for a step that remembers none."""


StageLoader = Callable[[Settings], Stage]
STAGE_LOADERS: Final[dict[str, StageLoader]] = {}


def stage_loader(name: str) -> Callable[[StageLoader], StageLoader]:
    """Register a function that loads the step of this name."""

    def register(load: StageLoader) -> StageLoader:
        STAGE_LOADERS[name] = load
        return load

    return register


def load_stage(name: str, settings: Settings) -> Stage:
    """Load a step. Slow for those that load models; once a process is enough.

    Raises:
        Misconfigured: what the step needs is not installed, or a file of words has a fault.
    """
    check_lexicon()
    return STAGE_LOADERS[name](settings)


@dataclass(frozen=True, slots=True)
class StatelessStage:
    """A stage that remembers nothing."""

    run: Callable[[Sequence[Any]], list[StageOutcome]]

    @classmethod
    def one_by_one(cls, run_one: Callable[[Any], StageOutcome]) -> StatelessStage:
        """A stage of a function on one input, which may raise."""
        return cls(lambda items: [_guarded(run_one, item) for item in items])

    def __call__(self, items: Sequence[Any]) -> list[StageOutcome]:
        """One outcome an input."""
        return self.run(items)

    def restore(self, memory: bytes) -> None:
        """Nothing to take back."""

    def sizes(self) -> Mapping[str, int]:
        """Nothing is remembered."""
        return {}


@stage_loader("normalise")
def load_normalise(settings: Settings) -> Stage:
    """Load the readers of wire formats."""
    from processors.normalise import VERSION, normalise

    def run_one(item: RawItem) -> StageOutcome:
        return tuple(
            result if isinstance(result, Rejected) else NewEvent(trace_step(result, "normalise", VERSION))
            for result in normalise(item, settings.normalise)
        )

    return StatelessStage.one_by_one(run_one)


@stage_loader("deduplicate")
class DeduplicateStage:
    """Remembers the stories of some days."""

    def __init__(self, settings: Settings) -> None:
        from processors.deduplicate import VERSION, Deduplicator

        self._version = VERSION
        self._deduplicator = Deduplicator(settings.deduplicate)

    def __call__(self, items: Sequence[Event]) -> list[StageOutcome]:
        """One outcome a story, each compared with those before it."""
        return [
            _guarded(functools.partial(self._run_one, prepared=prepared), item)
            for item, prepared in zip(items, self._prepare(items), strict=True)
        ]

    def restore(self, memory: bytes) -> None:
        """Remember a story of the log."""
        ignored = self._deduplicator.ignored_records
        self._deduplicator.restore(memory)
        if self._deduplicator.ignored_records > ignored:
            from streams.health import count_unread_state  # not at the top: `wiredesk process` has no figures

            count_unread_state(LINEAGE.name, "another format")

    def sizes(self) -> Mapping[str, int]:
        """How many stories are remembered."""
        return {"stories": len(self._deduplicator)}

    def _prepare(self, events: Sequence[Event]) -> Sequence[PreparedEvent | None]:
        """What is computed of the stories of a batch beforehand; None for all where that fails, so that each fails for itself."""
        try:
            return self._deduplicator.prepare(events)
        except Exception:  # noqa: BLE001 -- one by one tells whose fault it is
            return [None] * len(events)

    def _run_one(self, event: Event, prepared: PreparedEvent | None) -> StageOutcome:
        decision = self._deduplicator.decide(event, prepared)
        event = _with_identity(event, decision.uri, decision.source)
        step = StepTrace("deduplicate", self._version, decision.evidence, decision.novel)
        placed = add_step(event, step, lineage=decision.lineage)
        copies = [replace(placed, lineage=lineage) for lineage in _other_lineages(decision.lineage)]
        return (NewEvent(placed, decision.memory), *(NewEvent(copy, is_copy=True) for copy in copies))


def _other_lineages(lineage: Lineage) -> Iterator[Lineage]:
    """The lineages of a kill in the other chains that it ends."""
    if not lineage.also_killed or lineage.of is None:
        return
    first = KilledChain(lineage.story, lineage.of, lineage.sequence, lineage.source)
    chains = (first, *lineage.also_killed)
    for number, chain in enumerate(chains[1:], 1):
        yield replace(
            lineage, story=chain.story, of=chain.of, sequence=chain.sequence, source=chain.source,
            also_killed=(*chains[:number], *chains[number + 1 :]),
        )  # fmt: skip


def _with_identity(event: Event, uri: str, source: str) -> Event:
    """The event with the uri and source that were settled; the uri that it came with stands among the others."""
    provenance = event.provenance
    if provenance is not None and source != (provenance.source or ""):
        event = replace(event, provenance=replace(provenance, source=source or None))
    story = event.story
    if uri == story.uri:
        return event
    alt_ids = (*story.alt_ids, AltId(story.uri, "claimed"))
    return replace(event, story=replace(story, uri=uri, alt_ids=alt_ids))


@stage_loader("segment")
def load_segment(settings: Settings) -> Stage:
    """Load the layouts of agencies, and the words of quotations."""
    from processors.segment import VERSION, segment

    def run_one(event: Event) -> StageOutcome:
        guard = RuleGuard()
        segmented = segment(event, settings.segment, guard)
        traced = trace_step(segmented, "segment", VERSION, guard.evidence())
        return (NewEvent(traced, failed_rules=tuple(guard.failed)),)

    return StatelessStage.one_by_one(run_one)


@stage_loader("tag")
def load_tag(settings: Settings) -> Stage:
    """Load the tagger's model."""
    from processors.tag import VERSION, Tagger

    tagger = Tagger(settings.tag)

    def run_batch(events: Sequence[Event]) -> list[StageOutcome]:
        return [
            (
                NewEvent(
                    trace_step(tagged.event, "tag", VERSION, tagged.evidence),
                    failed_rules=tagged.failed_rules,
                ),
            )
            for tagged in tagger.tag_guarded(events)
        ]

    def run(events: Sequence[Event]) -> list[StageOutcome]:
        try:
            return run_batch(events)
        except Exception:  # noqa: BLE001 -- one by one tells whose fault it is
            return [_guarded(lambda event: run_batch([event])[0], event) for event in events]

    return StatelessStage(run)


def load_used_work(step: Step, settings: Settings) -> Work:
    """A loaded step; a pooled one has worked on a story, so that what it loads on first use is there as well.

    Children that are forked afterwards share that (words, places, grammars: 120 MB), and none loads it while a record waits.
    """
    work = Work(step, settings)
    if not step.pooled:
        return work
    values: Sequence[Any] = (SAMPLE_ITEM,)
    for earlier in itertools.takewhile(lambda other: other.name != step.name, STEPS):
        if earlier.pooled:
            values = _events_of(load_stage(earlier.name, settings)(values))
    work.use_stage(values)
    return work


def _events_of(outcomes: Sequence[StageOutcome]) -> list[Event]:
    return [
        new.event
        for outcome in outcomes
        if isinstance(outcome, tuple)
        for new in outcome
        if isinstance(new, NewEvent)
    ]


@stage_loader("cluster")
class ClusterStage:
    """Remembers what the stories of a week tell."""

    def __init__(self, settings: Settings) -> None:
        from processors.cluster import VERSION, Clusterer

        self._version = VERSION
        self._clusterer = Clusterer(settings.cluster)

    def __call__(self, items: Sequence[Event]) -> list[StageOutcome]:
        """One outcome a story, each laid beside those before it."""
        return [_guarded(self._run_one, item) for item in items]

    def restore(self, memory: bytes) -> None:
        """Remember a story of the log."""
        ignored = self._clusterer.ignored_records
        self._clusterer.restore(memory)
        if self._clusterer.ignored_records > ignored:
            from streams.health import count_unread_state  # not at the top: `wiredesk process` has no figures

            count_unread_state(CLUSTERED.name, "another format")

    def sizes(self) -> Mapping[str, int]:
        """How many stories and clusters are remembered."""
        return {"stories": len(self._clusterer), "clusters": self._clusterer.cluster_count}

    def _run_one(self, event: Event) -> StageOutcome:
        decision = self._clusterer.decide(event)
        return (
            NewEvent(trace_step(event, "cluster", self._version, cluster=decision.standing), decision.memory),
        )


def trace_step(
    event: Event, name: str, version: str, evidence: tuple[Feature, ...] = (), **changes: Any
) -> Event:
    """The event with changes, and with the step in its provenance."""
    return add_step(event, StepTrace(name, version, evidence), **changes)


def add_step(event: Event, step: StepTrace, **changes: Any) -> Event:
    """The event with changes, and with a step in its provenance."""
    provenance = event.provenance
    if provenance is not None:
        steps = (*provenance.steps, step)
        changes["provenance"] = replace(provenance, steps=steps)
    return replace(event, **changes) if changes else event


def _guarded(run_one: Callable[[T], StageOutcome], item: T) -> StageOutcome:
    try:
        return run_one(item)
    except Rejected as error:
        return (error,)
    except Exception as error:  # noqa: BLE001 -- the border of "what we did wrong"
        return error


class Work:
    """A loaded step on messages: records in; outputs, state records and dead letters out.

    Not thread-safe; a step with state is one instance a partition.
    """

    def __init__(self, step: Step, settings: Settings) -> None:
        """Load the step's processor (slow where that loads models)."""
        self.step = step
        self._limits = settings.events
        self._stage = load_stage(step.name, settings)
        self._input_type = RawItem if step.reads[0].carries == "item" else Event

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        """One outcome a record, in order."""
        try:
            outcomes = self._run(records)
        except MemoryError as error:
            outcomes = [error] * len(records)
        return [
            _blame_memory(record, outcome) if isinstance(outcome, MemoryError) else outcome
            for record, outcome in zip(records, outcomes, strict=True)
        ]

    def restore(self, record: Record) -> None:
        """Take back one record of the step's state topic, in the order of the log."""
        self._stage.restore(record.value)

    def sizes(self) -> Mapping[str, int]:
        """How much the step remembers: see `Stage.sizes`."""
        return self._stage.sizes()

    def use_stage(self, values: Sequence[Any]) -> None:
        """Run the step on values, for what it loads on the way."""
        self._stage(values)

    def _run(self, records: Sequence[Record]) -> list[Outcome]:
        inputs: list[object] = [self._decoded(record) for record in records]
        outcomes = iter(self._stage([item for item in inputs if not isinstance(item, Rejected)]))
        return [
            (dead_letter(record, self.step.name, item),)
            if isinstance(item, Rejected)
            else self._messages(record, next(outcomes))
            for record, item in zip(records, inputs, strict=True)
        ]

    def _decoded(self, record: Record) -> object:
        try:
            return decode(record.value, self._input_type)
        except Rejected as error:
            return error

    def _messages(self, record: Record, outcome: StageOutcome) -> Outcome:
        if isinstance(outcome, Exception):
            return outcome
        messages: list[Message] = []
        for result in outcome:
            if isinstance(result, Rejected):
                messages.append(dead_letter(record, self.step.name, result))
            else:
                messages += self._written(record, result)
        return tuple(messages)

    def _written(self, record: Record, new: NewEvent) -> list[Message]:
        topic = self.step.route(new.event)
        trace = (record.header("traceparent") or b"").decode("ascii", "replace")
        place = self._raw_place(record)
        event = limit_outgoing(new.event, topic, self._limits, place)
        written = [
            event_message(
                topic.name, topic.key(event), event, record.timestamp, source=self.step.name, trace=trace,
                place=place,
            )
        ]  # fmt: skip
        if new.failed_rules:
            written[0] = dataclasses.replace(written[0], failed_rules=new.failed_rules)
        if self.step.state and new.memory:
            state = self.step.state.name
            written.append(
                Message(state, record.key, new.memory, record.timestamp, partition=record.partition)
            )
        return written

    def _raw_place(self, record: Record) -> RawPlace | None:
        """Where the raw item of a record stands: there, or where an earlier step has noted."""
        if self._input_type is RawItem:
            return RawPlace(record.topic, record.partition, record.offset)
        return RawPlace.parse_place((record.header(RAW_PLACE_HEADER) or b"").decode("ascii", "replace"))


def limit_outgoing(event: Event, topic: Topic, settings: Events, place: RawPlace | None = None) -> Event:
    """The event as readers get it, where it leaves the pipeline for a topic of theirs: no longer than they take."""
    if topic not in SINK_READS:
        return event
    if not settings.repeat_text:
        event = leave_out_bodies(event)
    return limit_event(event, settings.max_bytes - BESIDE_EVENT_BYTES, place)


def _blame_memory(record: Record, error: MemoryError) -> Exception:
    """Whose fault it is that memory was short: the process's where there is less than any record may need.

    Else the record asked for more than that, which is a bug as any other.
    """
    traceback.clear_frames(error.__traceback__)
    needed_bytes = HONEST_MEMORY_BYTES + HONEST_MEMORY_FACTOR * len(record.value)
    try:
        mmap.mmap(-1, needed_bytes).close()
    except (OSError, MemoryError):
        return OutOfMemory(
            f"memory is short: a record may need {needed_bytes >> 20} MiB; give the process more (ulimit -v, MemoryMax)"
        )
    return error
