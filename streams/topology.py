"""The pipeline on one page: every topic and every step, in the order in which a story passes them.

Both runtimes (`streams.embedded.runtime` on SQLite, `streams.kafka` on Kafka) and ``wiredesk process`` execute these
values. A step makes events of each record that it reads; what it rejects goes to ``<input topic>.dlq``. Offsets,
outputs, dead letters and state change in one transaction. `streams.steps` loads a step's processor by its name.

A step is added by one line in `STEPS` and a loader in `streams.steps`; everything below `STEPS` follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from config.settings import Settings
    from processors.model.event import Event, Lineage

# Windows of deduplication that a state topic keeps. With 1, deduplicate forgets at a restart the templates that it
# knows by more than one window; each window more is read back at every start.
STATE_WINDOWS: Final = 3
# Windows of clusters that a state topic keeps: what has left has no say, so the second is room for stories that came
# late and for a fleet that stood still.
CLUSTER_WINDOWS: Final = 2


def by_feed(event: Event) -> str:
    """Raw items: one feed's items stay in order."""
    return (event.provenance and event.provenance.feed) or ""


def by_one_key(event: Event) -> str:  # noqa: ARG001 -- the signature of keys
    """One partition sees all stories in one order, so that a story is found in whatever language its version reads."""
    return "all"


def by_chain(event: Event) -> str:
    """The versions of a story stay in order."""
    return event.lineage.story if event.lineage else event.story.uri


@dataclass(frozen=True, slots=True)
class Topic:
    """A named log.

    Records are kept for the runtime's retention ("log"), for some windows of deduplication ("window"), for the window of
    clusters ("clusters"), until an operator drops them ("ever"), or the last one of each key ("compacted").
    `description` is what consumers are told.
    """

    name: str
    key: Callable[[Event], str]
    carries: Literal["item", "event", "gap", "state"] = "event"
    retention: Literal["log", "window", "clusters", "ever", "compacted"] = "log"
    description: str = ""

    @property
    def dead_letters(self) -> Topic:
        """Where the items that a reader of this topic rejects go."""
        return Topic(f"{self.name}.dlq", self.key, retention="ever", carries=self.carries)


@dataclass(frozen=True, slots=True)
class CompactedTopic:
    """A topic of one runtime's own, which keeps the last record of each key; `key` says what is one.

    It has as many partitions as the other topics, or one where the whole of it is read at once.
    """

    name: str
    key: str
    has_one_partition: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the pipeline. `reads` has the live topic first; the last of `writes` is for duplicates.

    A step with `state` writes one compact record an input to it, to the partition number of the input, and is
    restored from it. `pooled` steps use the processor and run in a pool of processes.
    """

    name: str
    reads: tuple[Topic, ...]
    writes: tuple[Topic, ...]
    state: Topic | None = None
    pooled: bool = False

    def route(self, event: Event) -> Topic:
        """The topic that an event of this step is written to."""
        return self.writes[-1 if event.lineage and _is_repeat(event, event.lineage) else 0]


def _is_repeat(event: Event, lineage: Lineage) -> bool:
    """Whether an event tells nothing that was not told before. What is run again on purpose passes as at first."""
    is_rerun = event.provenance is not None and event.provenance.rerun
    return lineage.relation == "duplicate" or (lineage.again and not is_rerun)


@dataclass(frozen=True, slots=True)
class SinkStep:
    """Where events leave the pipeline. `module` has ``load_sink(settings)``, which gives a `sinks.ports.Sink`.

    A sink that `begins` now leaves out what its topics held before its first start. `runtime` names the only runtime
    that has the sink. What waits for a part of the outside by itself, such as a month of an index, is `held` (Kafka).
    """

    name: str
    reads: tuple[Topic, ...]
    module: str
    begins: Literal["oldest", "now"] = "oldest"
    runtime: Literal["embedded", "kafka"] | None = None
    held: Topic | None = None


# fmt: off
RAW        = Topic("wire.items.raw.v1",          by_feed,     carries="item",
                   description="The publisher's own bytes with their envelope. Replayable.")
BACKFILL   = Topic("wire.items.backfill.v1",     by_feed,     carries="item",
                   description="Old news sent in later: the same items, never ahead of live ones.")
NORMALISED = Topic("wire.stories.normalised.v1", by_one_key,
                   description="Stories as ninjs 3.1, with their plain text.")
UNIQUE     = Topic("wire.stories.unique.v1",     by_chain,
                   description="Stories that are no repeats, with their lineage.")
DUPLICATE  = Topic("wire.stories.duplicate.v1",  by_chain,
                   description="Repeats, with the story that they repeat; neither segmented nor tagged.")
SEGMENTED  = Topic("wire.stories.segmented.v1",  by_chain,
                   description="Stories taken apart: segments, dateline, quotations, damage.")
TAGGED     = Topic("wire.stories.tagged.v1",     by_one_key,
                   description="Stories with their names, dates and topics, in the order in which they are clustered.")
ENRICHED   = Topic("wire.stories.enriched.v1",   by_chain,
                   description="Whole events: what consumers read who want everything.")
LINEAGE    = Topic("wire.state.deduplicate.v1",  by_one_key,  carries="state", retention="window")
CLUSTERED  = Topic("wire.state.cluster.v1",      by_one_key,  carries="state", retention="clusters")
ROUTED     = Topic("wire.state.routes.v1",       by_chain,    carries="state", retention="compacted")
WEBHOOKS   = Topic("wire.webhooks.v1",           by_chain,
                   description="Dead letters of webhooks that are to be delivered again.")
GAPS       = Topic("wire.feeds.gaps.v1",         by_feed,     carries="gap",
                   description="Feeds of which stories may have been missed.")
# Stories that wait for a month of the index, while those of other months go on: `streams.kafka.held`.
HELD       = Topic("wire.stories.held.v1",       by_chain,    retention="ever")
# What the Kafka runtime keeps of its own; the embedded one has a table for each.
FEED_STATES     = CompactedTopic("wire.state.feeds.v1",        "feed")  # its partitions are the pollers' shares
CRASH_COUNTS    = CompactedTopic("wire.state.attempts.v1",     "step and place of a record", has_one_partition=True)
SETTLED_LETTERS = CompactedTopic("wire.state.dead-letters.v1", "dead letter, replayed or dropped", has_one_partition=True)

STEPS: Final = (
    Step("normalise",   (RAW, BACKFILL), (NORMALISED,),       pooled=True),
    Step("deduplicate", (NORMALISED,),   (UNIQUE, DUPLICATE), state=LINEAGE),
    Step("segment",     (UNIQUE,),       (SEGMENTED,),        pooled=True),
    Step("tag",         (SEGMENTED,),    (TAGGED,),           pooled=True),
    Step("cluster",     (TAGGED,),       (ENRICHED,),         state=CLUSTERED),
)
# fmt: on
# What follows from the steps.
STEP_NAMES: Final = tuple(step.name for step in STEPS)
RAW_TOPICS: Final = frozenset(topic.name for topic in STEPS[0].reads)
# Events to wire.out.<route>.v1 by the rules of config/routes.toml, embargoes held back: `streams.routing`.
ROUTE: Final = Step("route", STEPS[-1].writes[:1], (), state=ROUTED)


def _distinct(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    return tuple(dict.fromkeys(topics))


_STREAMS: Final = _distinct(topic for step in STEPS for topic in (*step.reads, *step.writes))
_STATES: Final = _distinct(step.state for step in STEPS if step.state)
# What no step reads is for sinks; the events of the last step come first.
SINK_READS: Final = _distinct(
    topic
    for step in reversed(STEPS)
    for topic in step.writes
    if not any(topic in other.reads for other in STEPS)
)
# fmt: off
SINKS: Final = (
    SinkStep("index",         SINK_READS,          "sinks.sqlite",        runtime="embedded"),
    SinkStep("elasticsearch", SINK_READS,          "sinks.elasticsearch", runtime="kafka", held=HELD),
    SinkStep("events",        (*SINK_READS, GAPS), "sinks.events_file",   begins="now"),
    SinkStep("alerts",        SINK_READS[:1],      "sinks.elasticsearch.alert_sink", begins="now", runtime="kafka"),
)
# fmt: on
# Those of routes are beside them: their memory is a table or a compacted topic, their outputs are named by the rules.
TOPICS: Final = (*_STREAMS, *_STATES, WEBHOOKS, GAPS)
KAFKA_STATES: Final = (FEED_STATES, CRASH_COUNTS, SETTLED_LETTERS)
HELD_TOPICS: Final = tuple(sink.held for sink in SINKS if sink.held)
STATE_NAMES: Final = frozenset(topic.name for topic in TOPICS if topic.carries == "state")
# What can be made again of the raw items: on one machine it goes soon after everybody has read it.
PASSING_TOPICS: Final = frozenset(
    topic.name for topic in TOPICS if topic.carries == "event" and topic.retention == "log"
)
DEAD_LETTERS: Final = tuple(topic.dead_letters for topic in (*_STREAMS, WEBHOOKS))


def readers(topic: Topic) -> tuple[Step, ...]:
    """The steps that read a topic."""
    return tuple(step for step in STEPS if topic in step.reads)


def retention_hours(topic: Topic, settings: Settings, log_hours: int) -> int | None:
    """How many hours a topic keeps its records; None where it drops none. `log_hours` is the runtime's retention."""
    if topic.retention == "window":
        return STATE_WINDOWS * settings.deduplicate.window_hours
    if topic.retention == "clusters":
        return CLUSTER_WINDOWS * settings.cluster.window_hours
    return log_hours if topic.retention == "log" else None
