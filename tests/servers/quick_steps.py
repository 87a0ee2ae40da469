"""The steps with almost nothing in them, so that tests and benchmarks of the runtime see the runtime.

They read and write the real messages. What an item is to do wrong stands in its text: ``reject``, ``raise``, ``die``,
which kills the process that has it in hand, and two that end once the file of ``WIRETEST_GATE`` is there: ``wait`` holds
its step, ``fail`` is the world's fault.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
from msgspec.structs import replace

from config.settings import Settings
from processors.errors import Malformed, Rejected, Transient
from processors.model.codec import decode, encode
from processors.model.event import Event, Language, Lineage, Provenance, RawItem
from processors.model.story import Story
from streams.messages import Message, Record, dead_letter, message
from streams.settlement import Outcome
from streams.topology import Step


class QuickStep:
    """A step as `streams.steps.Work` is one. Deduplicate numbers the stories of its partition from 1."""

    def __init__(self, step: Step, _settings: Settings) -> None:
        self.step = step
        self._seen: dict[str, int] = {}

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        return [self._one(record) for record in records]

    def sizes(self) -> dict[str, int]:
        return {}

    def restore(self, record: Record) -> None:
        self._seen[record.value.decode()] = len(self._seen) + 1

    def _one(self, record: Record) -> Outcome:
        try:
            event = self._event(record)
            memory = self._misbehaved(event)
        except Rejected as error:
            return (dead_letter(record, self.step.name, error),)
        except (RuntimeError, Transient) as error:
            return error
        topic = self.step.route(event)
        output = message(topic.name, topic.key(event), encode(event), record.timestamp, source=self.step.name)
        if not self.step.state or not memory:
            return (output,)
        state = Message(
            self.step.state.name, record.key, memory, record.timestamp, partition=record.partition
        )
        return (output, state)

    def _event(self, record: Record) -> Event:
        if self.step.name == "normalise":
            return _normalised(decode(record.value, RawItem))
        event = decode(record.value, Event)
        if self.step.name != "deduplicate":
            return event
        uri = event.story.uri
        again = uri in self._seen
        number = self._seen.setdefault(uri, len(self._seen) + 1)
        relation = Lineage(uri, "duplicate" if again else "new", sequence=number)
        return replace(event, lineage=relation)

    def _misbehaved(self, event: Event) -> bytes:
        content, _, step = event.text.partition(" in ")
        if step == self.step.name:
            if content == "reject":
                raise Malformed("as the item says")
            if content == "raise":
                raise RuntimeError("as the item says")
            if content == "wait":
                _wait_for_the_gate()
            if content == "fail" and not _is_gate_open():
                raise Transient("as the item says")
            if content == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        fresh = event.lineage and event.lineage.relation == "new"
        return event.story.uri.encode() if fresh else b""


def _wait_for_the_gate() -> None:
    while not _is_gate_open():
        time.sleep(0.05)


def _is_gate_open() -> bool:
    return Path(os.environ["WIRETEST_GATE"]).exists()


def load(step: Step, settings: Settings) -> Callable[[Sequence[Record]], list[Outcome]]:
    return QuickStep(step, settings)


def _normalised(item: RawItem) -> Event:
    try:
        document = orjson.loads(item.payload)
        text = document["bodies"][0]["value"]
        return Event(
            Story(document["uri"], version=document["version"]),
            headline=document["headlines"][0]["value"],
            text=text,
            language=Language(document["language"], 1.0),
            provenance=Provenance(item.received, "ninjs", feed=item.feed, backfill=item.backfill),
        )
    except (orjson.JSONDecodeError, LookupError, TypeError) as error:
        raise Malformed(f"no item: {error}") from error
