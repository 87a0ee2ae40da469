"""A step at work on messages: records in, messages out, one outcome a record.

Both runtimes call `Work`; neither knows what a step does. An outcome is the messages to write (outputs, the state
record, and dead letters of single items of a document), or the exception that is our own fault.
"""

from __future__ import annotations

from collections.abc import Sequence

from config.settings import Settings
from processors.errors import Rejected
from processors.model.codec import decode, encode
from processors.model.event import Event, RawItem
from streams import steps as stages
from streams.messages import Message, Record, dead_letter, message
from streams.topology import Step

Outcome = tuple[Message, ...] | Exception


class Work:
    """A loaded step. Not thread-safe; a step with state is one instance a partition."""

    def __init__(self, step: Step, settings: Settings) -> None:
        """Load the step's processor (slow where that loads models)."""
        self.step = step
        self._stage = stages.start(step.name, settings)
        self._reads = RawItem if step.name == "normalise" else Event

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        """One outcome a record, in order. Duplicates pass segment and tag untouched in no runtime: see the routes."""
        read: list[object] = [self._read(record) for record in records]
        sound = [item for item in read if not isinstance(item, Rejected)]
        outcomes = iter(self._stage(sound))
        return [
            (dead_letter(record, self.step.name, item),)
            if isinstance(item, Rejected)
            else self._messages(record, next(outcomes))
            for record, item in zip(records, read, strict=True)
        ]

    def restore(self, record: Record) -> None:
        """Take back one record of the step's state topic, in the order of the log."""
        self._stage.restore(record.value)

    def _read(self, record: Record) -> object:
        try:
            return decode(record.value, self._reads)
        except Rejected as error:
            return error

    def _messages(self, record: Record, outcome: stages.Outcome) -> Outcome:
        if isinstance(outcome, Exception):
            return outcome
        made: list[Message] = []
        for each in outcome:
            if isinstance(each, Rejected):
                made.append(dead_letter(record, self.step.name, each))
            else:
                made += self._written(record, each)
        return tuple(made)

    def _written(self, record: Record, made: stages.Made) -> list[Message]:
        topic = self.step.route(made.event)
        trace = (record.header("traceparent") or b"").decode("ascii", "replace")
        written = [
            message(
                topic.name, topic.key(made.event), encode(made.event), record.timestamp,
                source=self.step.name, trace=trace,
            )
        ]  # fmt: skip
        if self.step.state and made.memory:
            state = self.step.state.name
            written.append(
                Message(state, record.key, made.memory, record.timestamp, partition=record.partition)
            )
        return written
