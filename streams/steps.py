"""The steps as functions on values: each loads its processor from the settings and is told apart by its name.

A stage takes a batch and gives one outcome an input: what it made (`Made`), what the sender did wrong (`Rejected`),
or the exception that is our own fault. It never raises for one input of a batch, so that the others go on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar

import structlog
from msgspec.structs import replace

from config.settings import Settings
from processors.errors import Rejected
from processors.model.event import Event, Feature, RawItem, StepTrace

if TYPE_CHECKING:
    from processors.deduplicate import Expected

log = structlog.get_logger("wiredesk")
Name = Literal["normalise", "deduplicate", "segment", "tag", "route"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Made:
    """An event, and what a step with state must remember of its input."""

    event: Event
    memory: bytes = b""


Outcome = tuple[Made | Rejected, ...] | Exception


class Stage(Protocol):
    """A loaded step."""

    def __call__(self, items: Sequence[Any]) -> list[Outcome]:
        """One outcome for each input: a `RawItem` for normalise, an `Event` for the others."""

    def restore(self, memory: bytes) -> None:
        """Take back what `Made.memory` told, in the order of the log."""


def start(name: Name, settings: Settings) -> Stage:
    """Load a step. Slow for those that load models; once a process is enough."""
    return LOADERS[name](settings)


@dataclass(frozen=True, slots=True)
class Stateless:
    """A stage that remembers nothing."""

    run: Callable[[Sequence[Any]], list[Outcome]]

    def __call__(self, items: Sequence[Any]) -> list[Outcome]:
        """One outcome an input."""
        return self.run(items)

    def restore(self, memory: bytes) -> None:
        """Nothing to take back."""


def _normalise(settings: Settings) -> Stage:
    from processors.normalise import VERSION, normalise

    def one(item: RawItem) -> Outcome:
        found = normalise(item, settings.normalise)
        return tuple(
            each if isinstance(each, Rejected) else Made(_traced(each, "normalise", VERSION))
            for each in found
        )

    return Stateless(lambda items: [_guarded(one, item) for item in items])


class _Deduplicate:
    """The one step that remembers."""

    def __init__(self, settings: Settings) -> None:
        from processors.deduplicate import VERSION, Deduplicator

        self._version = VERSION
        self._deduplicator = Deduplicator(settings.deduplicate)
        self._told = 0  # records that were said not to have been read

    def __call__(self, items: Sequence[Event]) -> list[Outcome]:
        if self._told < self._deduplicator.ignored:
            self._told = self._deduplicator.ignored
            log.warning(
                "state of another version was not read: older stories are new again", records=self._told
            )
        return [
            _guarded(functools.partial(self._one, told=told), item)
            for item, told in zip(items, self._expected(items), strict=True)
        ]

    def restore(self, memory: bytes) -> None:
        self._deduplicator.restore(memory)

    def _expected(self, events: Sequence[Event]) -> Sequence[Expected | None]:
        """Those of a batch at once; none where that fails, and each story then tells whether the fault is its own."""
        try:
            return self._deduplicator.expect(events)
        except Exception:  # noqa: BLE001 -- one by one tells whose fault it is
            return [None] * len(events)

    def _one(self, event: Event, told: Expected | None) -> Outcome:
        decision = self._deduplicator.decide(event, told)
        placed = _traced(event, "deduplicate", self._version, decision.evidence, lineage=decision.lineage)
        return (Made(placed, decision.memory),)


def _segment(settings: Settings) -> Stage:
    from processors.segment import VERSION, segment

    def one(event: Event) -> Outcome:
        return (Made(_traced(segment(event, settings.segment), "segment", VERSION)),)

    return Stateless(lambda items: [_guarded(one, item) for item in items])


def _tag(settings: Settings) -> Stage:
    from processors.tag import VERSION, Tagger

    tagger = Tagger(settings.tag)

    def batch(events: Sequence[Event]) -> list[Outcome]:
        return [
            (Made(_traced(event, "tag", VERSION, tagger.evidence(event))),) for event in tagger.tag(events)
        ]

    def run(events: Sequence[Event]) -> list[Outcome]:
        try:
            return batch(events)
        except Exception:  # noqa: BLE001 -- one by one tells whose fault it is
            return [_guarded(lambda event: batch([event])[0], event) for event in events]

    return Stateless(run)


LOADERS: Final[dict[Name, Callable[[Settings], Stage]]] = {
    "normalise": _normalise,
    "deduplicate": _Deduplicate,
    "segment": _segment,
    "tag": _tag,
}


def _guarded(one: Callable[[T], Outcome], item: T) -> Outcome:
    try:
        return one(item)
    except Rejected as error:
        return (error,)
    except Exception as error:  # noqa: BLE001 -- the border of "what we did wrong"
        return error


def _traced(
    event: Event, name: Name, version: str, evidence: tuple[Feature, ...] = (), **changes: Any
) -> Event:
    """The event with changes, and with the step in its provenance."""
    told = event.provenance
    if told is not None:
        steps = (*told.steps, StepTrace(name, version, evidence))
        changes["provenance"] = replace(told, steps=steps)
    return replace(event, **changes) if changes else event
