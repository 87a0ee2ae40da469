"""The pipeline on one page: every topic and every step, in the order in which a story passes them.

Both runtimes (`streams.embedded.runtime` on SQLite, `streams.kafka` on Kafka) and ``wiredesk process`` execute these values.
A step makes events of each record that it reads; what it rejects goes to ``<input topic>.dlq``. Offsets, outputs,
dead letters and state change in one transaction. `streams.steps` joins the steps to `processors`, and
`streams.work` to messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from processors.model.event import Event
from streams import steps as stages

STATE_WINDOWS: Final = 3  # windows that a state topic keeps: templates are known by more than one


def by_feed(event: Event) -> str:
    """Raw items: one feed's items stay in order."""
    return (event.provenance and event.provenance.feed) or ""


def by_language(event: Event) -> str:
    """One partition sees all stories of a language, which is what makes deduplication exact."""
    return event.language.tag.partition("-")[0] if event.language else "und"


def by_chain(event: Event) -> str:
    """The versions of a story stay in order."""
    return event.lineage.story if event.lineage else event.story.uri


@dataclass(frozen=True, slots=True)
class Topic:
    """A named log.

    Retention is the runtime's, the deduplication window, or until an operator drops it; a compacted topic keeps the
    last record of each key.
    """

    name: str
    key: Callable[[Event], str]
    retention: Literal["log", "window", "ever", "compacted"] = "log"

    @property
    def dead_letters(self) -> Topic:
        """Where the items that a reader of this topic rejects go."""
        return Topic(f"{self.name}.dlq", self.key, "ever")


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the pipeline. `reads` has the live topic first; the last of `writes` is for duplicates.

    A step with `state` writes one compact record an input to it, to the partition number of the input, and is
    restored from it. `pooled` steps use the processor and run in a pool of processes.
    """

    name: stages.Name
    reads: tuple[Topic, ...]
    writes: tuple[Topic, ...]
    state: Topic | None = None
    pooled: bool = False

    def route(self, event: Event) -> Topic:
        """The topic that an event of this step is written to."""
        return self.writes[-1 if event.lineage and event.lineage.relation == "duplicate" else 0]


# fmt: off
RAW        = Topic("wire.items.raw.v1",          by_feed)
BACKFILL   = Topic("wire.items.backfill.v1",     by_feed)
NORMALISED = Topic("wire.stories.normalised.v1", by_language)
UNIQUE     = Topic("wire.stories.unique.v1",     by_chain)
DUPLICATE  = Topic("wire.stories.duplicate.v1",  by_chain)
SEGMENTED  = Topic("wire.stories.segmented.v1",  by_chain)
ENRICHED   = Topic("wire.stories.enriched.v1",   by_chain)
LINEAGE    = Topic("wire.state.deduplicate.v1",  by_language, retention="window")
WEBHOOKS   = Topic("wire.webhooks.v1",           by_chain)  # deliveries to try again: dead letters of webhooks replayed
GAPS       = Topic("wire.feeds.gaps.v1",         by_feed)  # written by pollers: stories may have been missed

STEPS: Final = (
    Step("normalise",   (RAW, BACKFILL), (NORMALISED,)),
    Step("deduplicate", (NORMALISED,),   (UNIQUE, DUPLICATE), state=LINEAGE),
    Step("segment",     (UNIQUE,),       (SEGMENTED,),        pooled=True),
    Step("tag",         (SEGMENTED,),    (ENRICHED,),         pooled=True),
)
# events to wire.out.<route>.v1 by the rules of config/routes.toml, embargoes held back: `streams.routing`
ROUTED     = Topic("wire.state.routes.v1",       by_chain, retention="compacted")
ROUTE: Final = Step("route", (ENRICHED,), (), state=ROUTED)
SINK_READS: Final = (ENRICHED, DUPLICATE)
# fmt: on

TOPICS: Final = (RAW, BACKFILL, NORMALISED, UNIQUE, DUPLICATE, SEGMENTED, ENRICHED, LINEAGE, WEBHOOKS, GAPS)
DEAD_LETTERS: Final = tuple(topic.dead_letters for topic in TOPICS if topic not in {LINEAGE, GAPS})
