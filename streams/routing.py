"""The routes at work on messages: enriched events in, messages of ``wire.out.<route>.v1`` and of the memory out.

`RouteWork` is called by both runtimes as `streams.steps.Work` is. Its memory is one record a chain, keyed by the chain,
so that a compacted topic (Kafka) or a table (embedded) holds all of it. Time comes in: the runtime asks `release` for
what was held back until now, and settles that in a transaction as it does everything else.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from config.files import find_file
from config.settings import Settings
from processors.errors import Rejected
from processors.model.codec import decode, encode
from processors.model.event import Event
from processors.times import HOUR_MS
from sinks.routes.chains import Chain, Decision, Delivery, decide, release
from sinks.routes.router import Router, Rule
from sinks.routes.rules import load
from streams.messages import Message, Record, dead_letter, message
from streams.settlement import Outcome
from streams.steps import Work
from streams.topology import ROUTE, ROUTED, Step

CHUNK: Final = 100  # chains released in one transaction


def wall_clock() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def rules(settings: Settings) -> tuple[Rule, ...]:
    """The operator's rules; none where the setting ``routes.file`` is empty.

    Raises:
        Misconfigured: the file can't be read, or a rule is wrong.
    """
    name = settings.routes.file
    return load(find_file(name)) if name else ()


class RouteWork:
    """The loaded rules, and what is remembered of one partition."""

    def __init__(
        self, settings: Settings, clock: Callable[[], int] = wall_clock, router: Router | None = None
    ) -> None:
        """`router` is shared where several partitions are routed by one process."""
        told = rules(settings)
        self._router = router or Router(told)
        self._compacted = frozenset(rule.name for rule in told if rule.compact)
        self._known = frozenset(rule.name for rule in told)
        self._memory_ms = settings.routes.memory_hours * HOUR_MS
        self._clock = clock
        self._chains: dict[str, Chain] = {}  # by when they were touched, about
        self._due: list[tuple[int, str]] = []  # a heap; entries that are out of date are passed over
        self._partition: int | None = None

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        """One outcome a record, in order; all of one partition."""
        return [self._guarded(record) for record in records]

    def restore(self, record: Record) -> None:
        """Take back one record of the memory; an empty one means that the chain was forgotten."""
        self._partition = record.partition
        key = record.key.decode()
        self._chains.pop(key, None)
        if record.value:
            self._remember(key, decode(record.value, Chain))

    def close(self) -> None:
        """Nothing to end."""

    def due(self) -> int | None:
        """When something that is held back may go out, in milliseconds since the epoch; None: nothing waits."""
        while self._due:
            at, key = self._due[0]
            chain = self._chains.get(key)
            if chain and chain.due == at:
                return at
            heapq.heappop(self._due)
        return None

    def release(self, now: int) -> list[Message]:
        """The messages of what may go out by `now`, for one transaction; the rest of a great number the next time."""
        made: list[Message] = []
        for _ in range(CHUNK):
            at = self.due()
            if at is None or at > now:
                break
            _, key = heapq.heappop(self._due)
            made += self._settled(key, release(self._chains[key], now), now)
        return made

    def _guarded(self, record: Record) -> Outcome:
        try:
            return tuple(self._routed(record))
        except Rejected as error:
            return (dead_letter(record, ROUTE.name, error),)
        except Exception as error:  # noqa: BLE001 -- the border of "what we did wrong"
            return error

    def _routed(self, record: Record) -> Iterable[Message]:
        self._partition = record.partition
        event = decode(record.value, Event)
        key = ROUTED.key(event)
        trace = (record.header("traceparent") or b"").decode("ascii", "replace")
        known = self._chains.get(key)
        decision = decide(self._router, event, record.timestamp, trace, known, self._clock())
        return [*self._settled(key, decision, record.timestamp), *self._expired(record.timestamp)]

    def _settled(self, key: str, decision: Decision, at: int) -> list[Message]:
        """Messages of a decision, and of the memory where that changes."""
        made = [each for delivery in decision.deliveries for each in self._delivered(key, delivery)]
        before = self._chains.get(key)
        if decision.chain is before:
            return made
        self._chains.pop(key, None)
        if decision.chain:
            self._remember(key, decision.chain)
        return [*made, self._memory(key, decision.chain, at)]

    def _delivered(self, key: str, delivery: Delivery) -> Iterable[Message]:
        for route in delivery.routes:
            if route not in self._known:
                continue  # the operator has removed the rule since
            topic = Rule(route, {}).topic
            made = message(
                topic, key, delivery.event, delivery.written, source=ROUTE.name, trace=delivery.trace
            )
            yield made
            if delivery.kill and route in self._compacted:
                yield _tombstone(made)

    def _expired(self, now: int) -> Iterable[Message]:
        """Forget a chain that nobody touched for so long, one a record, so that the memory stays bounded."""
        key = next(iter(self._chains), None)
        if key is None or self._chains[key].touched >= now - self._memory_ms:
            return []
        chain = self._chains.pop(key)
        if chain.due is not None:
            self._chains[key] = chain
            return []
        return [self._memory(key, None, now)]

    def _memory(self, key: str, chain: Chain | None, at: int) -> Message:
        value = encode(chain) if chain else b""
        return Message(
            ROUTED.name, key.encode(), value, at, partition=self._partition, tombstone=chain is None
        )

    def _remember(self, key: str, chain: Chain) -> None:
        self._chains[key] = chain
        if chain.due is not None:
            heapq.heappush(self._due, (chain.due, key))


def load_work(step: Step, settings: Settings) -> Work | RouteWork:
    """A step as both runtimes load it, the routes among them."""
    return RouteWork(settings) if step.name == ROUTE.name else Work(step, settings)


def _tombstone(made: Message) -> Message:
    """What makes a compacted topic forget a story, after its kill: the same key, no value, an identity of its own."""
    marked = message(
        made.topic, made.key.decode(), made.value + b"\0", made.timestamp, source=ROUTE.name,
        trace=(made.header("traceparent") or b"").decode(),
    )  # fmt: skip
    return replace(marked, value=b"", tombstone=True)
