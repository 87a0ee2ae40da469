"""The rules of the routes that have their topics: one without is told and left out, and the others go on.

An edit of the rules may come long before the topics are made. A rule whose topic is missing takes no stories until it is
there, which is looked for now and then; or it is made, where ``routes.create_topics`` says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiokafka.errors import KafkaError

from config.settings import Settings
from processors.errors import Transient, Unreachable
from sinks.metrics import SKIPPED_ROUTES
from sinks.routes.router import RouteRule
from streams.kafka.topics import create_topics, topics_of_rules

# Between two looks for topics that are missing. Shorter asks the broker more often, longer is how late a new one is used.
LOOK_INTERVAL_S: Final = 5.0
log = structlog.get_logger("wiredesk.kafka")


class RouteTopics:
    """Puts rules in force as their topics come to be there."""

    def __init__(self, settings: Settings, on_change: Callable[[Sequence[RouteRule]], None]) -> None:
        """`on_change` gets the rules that have their topics, whenever these are others."""
        self._settings, self._on_change = settings, on_change
        self._wanted: tuple[RouteRule, ...] = ()
        self._in_force: tuple[RouteRule, ...] | None = None
        self._skipped: frozenset[str] = frozenset()
        self._lock = asyncio.Lock()

    async def use(self, rules: Sequence[RouteRule]) -> None:
        """Want these rules from now on, and put in force those that have their topics.

        Raises:
            Unreachable: the broker does not answer, so that another try is needed.
        """
        async with self._lock:
            self._wanted = tuple(rules)
            try:
                await self._look()
            except (KafkaError, OSError) as error:
                raise Unreachable(f"Kafka at {self._settings.kafka.servers}: {error}") from error

    async def follow(self) -> None:
        """Look for missing topics now and then, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            async with self._lock:
                if not self._skipped:
                    continue
                try:
                    await self._look()
                except (KafkaError, OSError) as error:
                    log.debug("the topics can't be asked for", reason=str(error))

    async def _look(self) -> None:
        present = await topics_of_rules(self._settings, self._wanted)
        missing = [rule for rule in self._wanted if rule.topic not in present]
        if missing and self._settings.routes.create_topics:
            present |= await self._make([rule.topic for rule in missing])
        self._log_missing([rule for rule in self._wanted if rule.topic not in present])
        in_force = tuple(rule for rule in self._wanted if rule.topic in present)
        if in_force != self._in_force:
            self._in_force = in_force
            self._on_change(in_force)

    async def _make(self, topics: Sequence[str]) -> frozenset[str]:
        """Make topics; those that there are now."""
        try:
            names = await create_topics(self._settings, topics, self._wanted)
        except (KafkaError, Transient) as error:
            log.warning("the topics of routes can't be made", topics=list(topics), reason=str(error))
            return frozenset()
        log.info("made the topics of routes", topics=names)
        return frozenset(topics)

    def _log_missing(self, missing: Sequence[RouteRule]) -> None:
        names = frozenset(rule.name for rule in missing)
        for rule in missing:
            if rule.name not in self._skipped:
                log.error(
                    "a rule is left out: its topic is missing, or may not be seen; its stories go nowhere until it is there",
                    route=rule.name, topic=self._settings.kafka.prefix + rule.topic,
                    mend="wiredesk topics create, or routes.create_topics = true",
                )  # fmt: skip
        wanted = {rule.name for rule in self._wanted}
        if found := sorted((self._skipped - names) & wanted):
            log.info("the topics of rules are there, which are in force from now on", routes=found)
        self._skipped = names
        SKIPPED_ROUTES.set(len(names))
