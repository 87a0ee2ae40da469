"""The routes at work on messages: enriched events in, messages of ``wire.out.<route>.v1`` and of the memory out.

`RouteWork` is called by both runtimes as `streams.steps.Work` is. Its memory is one record a chain, keyed by the chain,
so that a compacted topic (Kafka) or a table (embedded) holds all of it. Time comes in: the runtime asks `release` for
what was held back until now, and settles that in a transaction as it does everything else.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from config.files import find_file
from config.settings import Settings
from processors.errors import Rejected
from processors.model.codec import decode, encode
from processors.model.event import Event
from processors.sources import is_same_source
from processors.times import HOUR_MS
from sinks.routes.chains import Chain, ChainDecision, RouteDelivery, decide_event, release_held
from sinks.routes.router import Router, RouteRule, route_topic
from sinks.routes.rules import read_rules
from sinks.stories import chain_source, now_ms, with_own_identity
from streams.health import count_unread_state
from streams.messages import Message, Record, dead_letter, event_message, make_tombstone
from streams.settlement import Outcome
from streams.steps import Work
from streams.topology import ROUTE, ROUTED, Step

# Chains that are released in one transaction: more hold up the next events of a partition at the end of an embargo that
# many stories share, fewer make more transactions.
MAX_RELEASED_CHAINS: Final = 100


def load_rules(settings: Settings) -> tuple[RouteRule, ...]:
    """The operator's rules; none where the setting ``routes.file`` is empty.

    Raises:
        Misconfigured: the file can't be read, or a rule is wrong.
    """
    name = settings.routes.file
    return read_rules(find_file(name)) if name else ()


class RuleBook:
    """The rules in force, shared by all partitions that a process routes; they change between two batches only."""

    def __init__(self, rules: Sequence[RouteRule] = ()) -> None:
        """Begin with these."""
        self.replace(rules)

    def replace(self, rules: Sequence[RouteRule]) -> None:
        """Put other rules in force, for what is routed from now on."""
        self.rules = tuple(rules)
        self.router = Router(self.rules)
        self.names = frozenset(rule.name for rule in self.rules)
        self.compacted = frozenset(rule.name for rule in self.rules if rule.compact)


class RouteWork:
    """The rules at work, and what is remembered of one partition."""

    def __init__(
        self, settings: Settings, clock: Callable[[], int] = now_ms, book: RuleBook | None = None
    ) -> None:
        """`book` has the rules, where several partitions share them; else they are those of the settings."""
        self._book = book or RuleBook(load_rules(settings))
        self._memory_ms = settings.routes.memory_hours * HOUR_MS
        self._clock = clock
        self._chains: dict[str, Chain] = {}  # by when they were touched, about
        self._due: list[tuple[int, str]] = []  # a heap; entries that are out of date are passed over
        self._partition: int | None = None

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        """One outcome a record, in order; all of one partition."""
        return [self._route_or_reject(record) for record in records]

    def restore(self, record: Record) -> None:
        """Restore one record of the memory; an empty one means that the chain was forgotten, an unreadable one too."""
        self._partition = record.partition
        try:
            key = record.key.decode()
            chain = decode(record.value, Chain) if record.value else None
        except (Rejected, UnicodeDecodeError) as error:
            count_unread_state(ROUTED.name, str(error))
            chain, key = None, record.key.decode(errors="replace")
        self._chains.pop(key, None)
        if chain:
            self._remember(key, chain)

    def sizes(self) -> Mapping[str, int]:
        """How many chains are remembered."""
        return {"stories": len(self._chains)}

    def close(self) -> None:
        """Nothing to end."""

    def due_at(self) -> int | None:
        """When something that is held back may go out, in milliseconds since the epoch; None: nothing waits."""
        while self._due:
            at, key = self._due[0]
            chain = self._chains.get(key)
            if chain and chain.due == at:
                return at
            heapq.heappop(self._due)
        return None

    def release_due(self, now: int) -> list[Message]:
        """The messages of what may go out by `now`, for one transaction; the rest of a great number the next time."""
        messages: list[Message] = []
        for _ in range(MAX_RELEASED_CHAINS):
            at = self.due_at()
            if at is None or at > now:
                break
            _, key = heapq.heappop(self._due)
            messages += self._carry_out(key, release_held(self._chains[key], now), now)
        return messages

    def _route_or_reject(self, record: Record) -> Outcome:
        try:
            return tuple(self._route(record))
        except Rejected as error:
            return (dead_letter(record, ROUTE.name, error),)
        except Exception as error:  # noqa: BLE001 -- the border of "what we did wrong"
            return error

    def _route(self, record: Record) -> Iterable[Message]:
        self._partition = record.partition
        event = self._with_own_identity(decode(record.value, Event))
        key = ROUTED.key(event)
        trace = (record.header("traceparent") or b"").decode("ascii", "replace")
        chain = self._chains.get(key)
        decision = decide_event(self._book.router, event, record.timestamp, trace, chain, self._clock())
        return [*self._carry_out(key, decision, record.timestamp), *self._expire(record.timestamp)]

    def _with_own_identity(self, event: Event) -> Event:
        """The event under a chain of its own, where another source's has its name and is still remembered."""
        chain = self._chains.get(ROUTED.key(event))
        if chain is None or is_same_source(chain.source, chain_source(event)):
            return event
        return with_own_identity(event, {ROUTED.key(event): chain.source}.get)

    def _carry_out(self, key: str, decision: ChainDecision, at: int) -> list[Message]:
        """The messages of a decision, and of the memory where that changes."""
        messages = [
            message for delivery in decision.deliveries for message in self._route_messages(key, delivery)
        ]
        before = self._chains.get(key)
        if decision.chain is before:
            return messages
        self._chains.pop(key, None)
        if decision.chain:
            self._remember(key, decision.chain)
        return [*messages, self._memory_message(key, decision.chain, at)]

    def _route_messages(self, key: str, delivery: RouteDelivery) -> Iterable[Message]:
        routes = [
            route for route in delivery.routes if route in self._book.names
        ]  # of the others the rule was removed since
        event = decode(delivery.event, Event) if routes else None
        for route in routes:
            assert event
            routed = event_message(
                route_topic(route), key, event, delivery.written, source=ROUTE.name, trace=delivery.trace,
                value=delivery.event,
            )  # fmt: skip
            yield routed
            if delivery.kill and route in self._book.compacted:
                yield make_tombstone(routed)

    def _expire(self, now: int) -> Iterable[Message]:
        """Forget a chain that nobody touched for so long, one a record, so that the memory stays bounded."""
        key = next(iter(self._chains), None)
        if key is None or self._chains[key].touched >= now - self._memory_ms:
            return []
        chain = self._chains.pop(key)
        if chain.due is not None:
            self._chains[key] = chain
            return []
        return [self._memory_message(key, None, now)]

    def _memory_message(self, key: str, chain: Chain | None, at: int) -> Message:
        value = encode(chain) if chain else b""
        return Message(
            ROUTED.name, key.encode(), value, at, partition=self._partition, tombstone=chain is None
        )

    def _remember(self, key: str, chain: Chain) -> None:
        self._chains[key] = chain
        if chain.due is not None:
            heapq.heappush(self._due, (chain.due, key))


def load_work(step: Step, settings: Settings, book: RuleBook | None = None) -> Work | RouteWork:
    """Load a step, or the routes by the rules of `book`."""
    return RouteWork(settings, book=book) if step.name == ROUTE.name else Work(step, settings)
