"""The steps over one hostile document, each with its time: judging a poll, normalise, deduplicate, segment, tag.

Behind them what happens to its stories: a near copy that is compared with each (`copy`), the routes, the index, the page
of the desk and the row of an export.
"""

from __future__ import annotations

import gc
import io
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from msgspec.structs import replace

from config.settings import Settings
from processors.model.codec import encode
from processors.model.event import Event, RawItem
from sinks.desk.markup import headline_markup, text_blocks
from sinks.export import make_writer
from sinks.routes.router import RouteRule, compile_words
from sinks.sqlite.writer import StoryIndex
from streams.messages import Record
from streams.pollers.feed import Feed
from streams.pollers.fetch import Answer
from streams.pollers.judge import judge_answer
from streams.pollers.state import FeedState
from streams.routing import RouteWork, RuleBook
from streams.steps import NewEvent, Stage, load_stage
from streams.topology import ENRICHED, STEP_NAMES
from tests.hostile.near_copies import MUTATIONS
from tests.hostile.timing import cpu_seconds
from tests.sinks.events import make_index_tables

ROUTES: Final = (
    RouteRule("all", {}, urgency=9),
    RouteRule("ferries", {}, words=compile_words(["ferr*", "port alder", "officials said"])),
    RouteRule(
        "people", {"entity": frozenset({"ada quill", "officials"}), "relation": frozenset({"new", "kill"})}
    ),
)

FEED: Final = Feed("hill", "https://wire.example/feed")
RECEIVED: Final = "2026-01-22T16:00:00Z"
NOW: Final = 1_769_097_600.0
HTTP: Final = {"Content-Type": "application/xml"}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of CPU by step; `faults` are what a step blamed on us, by step."""

    seconds: dict[str, float]
    faults: dict[str, str]
    raw_bytes: int = 0  # of the raw items that a poll makes
    event_bytes: int = 0  # of the events at the end

    @property
    def worst(self) -> tuple[str, float]:
        """The slowest step and its time."""
        return max(self.seconds.items(), key=lambda pair: pair[1])


class Steps:
    """The loaded steps. Warmed up, so that loading models is nobody's fault."""

    def __init__(self) -> None:
        """Load them."""
        self._settings = Settings()
        self._stages: dict[str, Stage] = {name: load_stage(name, self._settings) for name in STEP_NAMES}
        self._uses = _load_uses(self._settings)
        gc.freeze()  # models and words are no garbage: to look through them takes longer than a record
        self.run(b"Ferry sinks\n\nPORT ALDER, Jan 22 (NNA) - The ferry sank on Monday, Ada Quill said.\n")

    def run(self, document: bytes, *, limit_s: float = 10.0, mutation: str = "") -> Times:
        """The time of each step on a document: of those records that it makes, the slowest step's sum.

        `mutation` names one of `MUTATIONS`: its copies of the stories go through the deduplicator behind them.
        """
        seconds: dict[str, float] = {}
        faults: dict[str, str] = {}
        items = [RawItem(document, RECEIVED, feed="hill")]
        verdicts: list[Any] = []
        answer = Answer("https://wire.example/feed", 200, HTTP, document)

        def judge() -> None:
            verdicts.append(judge_answer(FEED, FeedState(), answer, self._settings.poll, NOW, 0.5))

        try:
            seconds["poll"] = cpu_seconds(judge, limit_s)
        except Exception as error:  # noqa: BLE001 -- any fault is a finding
            faults["poll"] = repr(error)[:200]
        raw = sum(len(item.payload) for item in verdicts[0].items) if verdicts else 0
        values: Sequence[Any] = items
        for name, stage in self._stages.items():
            outcomes: list[Any] = []
            before = values
            seconds[name] = cpu_seconds(partial(_run_stage, stage, values, outcomes), limit_s)
            if blamed := [outcome for outcome in outcomes if isinstance(outcome, Exception)]:
                faults[name] = repr(blamed[0])[:200]
            values = [
                new.event
                for outcome in outcomes
                if isinstance(outcome, tuple)
                for new in outcome
                if isinstance(new, NewEvent)
            ]
            if not values:
                return Times(seconds, faults, raw)
            if name == "deduplicate" and mutation:
                copied: list[Any] = []
                copies = [_copy(event, MUTATIONS[mutation]) for event in before]
                seconds["copy"] = cpu_seconds(partial(_run_stage, stage, copies, copied), limit_s)
                if blamed := [outcome for outcome in copied if isinstance(outcome, Exception)]:
                    faults["copy"] = f"{mutation}: {blamed[0]!r}"[:200]
        for name, use in self._uses.items():
            try:
                seconds[name] = cpu_seconds(partial(use, values), limit_s)
            except Exception as error:  # noqa: BLE001 -- any fault is a finding
                faults[name] = repr(error)[:200]
        return Times(seconds, faults, raw, sum(len(encode(event)) for event in values))


def _copy(event: Event, mutate: Callable[[str], str]) -> Event:
    story = replace(event.story, uri=f"{event.story.uri}#copy", alt_ids=(), associations=())
    return replace(event, story=story, headline=mutate(event.headline), text=mutate(event.text))


def _load_uses(settings: Settings) -> dict[str, Callable[[Sequence[Event]], object]]:
    """What reads stories behind the steps, by its name."""
    work = RouteWork(settings, book=RuleBook(ROUTES))
    connection = sqlite3.connect(":memory:", isolation_level=None)
    index = StoryIndex(connection)
    make_index_tables(connection)

    def route(events: Sequence[Event]) -> None:
        for event in events:
            (outcome,) = work(
                [Record(ENRICHED.name, 0, 0, event.story.uri.encode(), encode(event), int(NOW * 1000))]
            )
            if isinstance(outcome, Exception):
                raise outcome

    def show(events: Sequence[Event]) -> None:
        for event in events:
            headline_markup(event, "")
            for block in text_blocks(event):
                str(block)

    return {
        "route": route,
        "index": index.write,
        "page": show,
        "export": lambda events: make_writer("csv", io.BytesIO()).write(events),
    }


def _run_stage(stage: Stage, values: Sequence[Any], outcomes: list[Any]) -> None:
    outcomes.extend(stage(values))


@cache
def loaded_steps() -> Steps:
    """The steps of this process."""
    return Steps()
