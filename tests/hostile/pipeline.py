"""The steps over one hostile document, each with its time: judging a poll, normalise, deduplicate, segment, tag."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from config.settings import Settings
from processors.model.event import RawItem
from streams.pollers.feed import Feed
from streams.pollers.fetch import Answer
from streams.pollers.judge import judge_answer
from streams.pollers.state import FeedState
from streams.steps import NewEvent, Stage, load_stage
from streams.topology import STEP_NAMES
from tests.hostile.timing import cpu_seconds

FEED: Final = Feed("hill", "https://wire.example/feed")
RECEIVED: Final = "2026-01-22T16:00:00Z"
NOW: Final = 1_769_097_600.0
HTTP: Final = {"Content-Type": "application/xml"}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of CPU by step; `faults` are what a step blamed on us, by step."""

    seconds: dict[str, float]
    faults: dict[str, str]
    raw_bytes: int = 0

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
        gc.freeze()  # models and words are no garbage: to look through them takes longer than a record
        self.run(b"Ferry sinks\n\nPORT ALDER, Jan 22 (NNA) - The ferry sank on Monday, Ada Quill said.\n")

    def run(self, document: bytes, *, limit_s: float = 10.0) -> Times:
        """The time of each step on a document: of those records that it makes, the slowest step's sum."""
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
                break
        return Times(seconds, faults, raw)


def _run_stage(stage: Stage, values: Sequence[Any], outcomes: list[Any]) -> None:
    outcomes.extend(stage(values))


@cache
def loaded_steps() -> Steps:
    """The steps of this process."""
    return Steps()
