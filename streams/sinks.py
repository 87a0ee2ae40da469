"""What both runtimes do around a sink: load it, decode what it reads, and write the dead letters of what it rejects."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, Literal

from config.settings import Settings
from processors.errors import Rejected
from processors.model.codec import decode
from processors.model.event import Event, Gap
from sinks.ports import Sink, WriteOutcome
from streams.messages import Record
from streams.topology import SINKS, SinkStep

Runtime = Literal["embedded", "kafka"]
KINDS: Final = {"event": Event, "gap": Gap}  # what a sink gets, by what a topic carries


def sink_steps(runtime: Runtime) -> tuple[SinkStep, ...]:
    """The sinks that a runtime has, in the order of the topology."""
    return tuple(step for step in SINKS if step.runtime in {None, runtime})


def load_sink(step: SinkStep, settings: Settings) -> Sink | None:
    """The sink of a step; None where the settings leave it out. Its module is imported only now."""
    sink: Sink | None = import_module(step.module).load_sink(settings)
    return sink


def decode_records(step: SinkStep, records: Sequence[Record]) -> list[Any]:
    """What the records hold, or the `Rejected` that says why one is unreadable; one for each record."""
    kinds = {topic.name: KINDS[topic.carries] for topic in step.reads}
    return [_decode_value(record.value, kinds[record.topic]) for record in records]


def merge_outcomes(decoded: Sequence[Any], written: Sequence[WriteOutcome]) -> list[WriteOutcome]:
    """One outcome for each record, given those of the readable ones."""
    outcomes = iter(written)
    return [item if isinstance(item, Rejected) else next(outcomes) for item in decoded]


def _decode_value(value: bytes, kind: type[Any]) -> Any:
    try:
        return decode(value, kind)
    except Rejected as error:
        return error
