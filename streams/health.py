"""What is ready, and the figures of steps; alike in both runtimes.

`ProgressWatch` decides whether a consumer is stuck, from what it is shown now and then; both runtimes ask it for
``/readyz``. Whatever stops a step (settings that let no record through, a pool that never answers, a bug that nobody
foresaw) shows the same way: records wait, and the offset does not move. `sinks.desk.health` answers probes, and
`sinks.metrics` holds the figures.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from processors.errors import Bug
from processors.model.codec import decode
from processors.model.event import Event
from processors.rule_guard import FailedRule
from sinks.metrics import (
    CLUSTERED_STORIES,
    CLUSTERS,
    DEAD_LETTERS,
    FAILED_RULES,
    FOREIGN_CLAIMS,
    KILLS,
    LAG_RECORDS,
    OLDEST_SECONDS,
    RECORDS,
    UNREAD_STATE,
    WINDOW_STORIES,
)
from sinks.stories import is_repeat, is_unreached_kill, lineage
from streams.messages import Message
from streams.topology import CLUSTERED, LINEAGE, STEPS

log = structlog.get_logger("wiredesk")
BUG: Final = Bug.__name__
# How long records may wait before a consumer that passes none of them counts as stuck. Shorter than the longest batch
# or restart of a step (models are loaded, state is read back) takes a healthy process out of service; with longer,
# nobody is told.
STUCK_AFTER_S: Final = 120.0
MAX_LOGGED_CHARS: Final = 200  # of a key or uri: whoever publishes decides how long it is
_DECIDER: Final = next(step.name for step in STEPS if step.state is LINEAGE)
_CLUSTERER: Final = next(step.name for step in STEPS if step.state is CLUSTERED)
_SEQUENCE: Final = re.compile(rb'"cluster":\{"id":"(?:[^"\\]|\\.)*","sequence":(\d+)')
_FOREIGN: Final = b'"other-source"'
_KILL: Final = (
    b'"relation":"kill"'  # in an event as it is encoded; within its strings the quotation marks are escaped
)


@dataclass(slots=True)
class _Progress:
    """What a consumer was last seen at."""

    offset: int
    moved_at: float
    records: int = 0
    reason: str = ""


class ProgressWatch:
    """Knows which consumers stand still. Times are seconds of any steady clock."""

    def __init__(self, stuck_after_s: float = STUCK_AFTER_S) -> None:
        """Nothing was seen yet."""
        self._stuck_after_s = stuck_after_s
        self._consumers: dict[str, _Progress] = {}

    def observe(self, consumer: str, *, offset: int, records: int, now: float, reason: str = "") -> None:
        """Note where a consumer stands.

        Args:
            consumer: its name.
            offset: any number that changes whenever it passes a record, such as the sum of its offsets.
            records: how many records wait for it.
            now: the time.
            reason: why it waits, where it knows that itself.
        """
        progress = self._consumers.get(consumer)
        if progress is None or progress.offset != offset or not records:
            self._consumers[consumer] = progress = _Progress(offset, now)
        progress.records, progress.reason = records, reason

    def describe_stuck(self, now: float) -> str | None:
        """Which consumers wait for something or stand still, and why; None where all is well."""
        lines = [
            line
            for name, progress in self._consumers.items()
            if (line := self._line(name, progress, now - progress.moved_at))
        ]
        return "; ".join(lines) or None

    def _line(self, name: str, progress: _Progress, seconds: float) -> str:
        if progress.reason:
            return f"{name} waits: {progress.reason}"
        if seconds < self._stuck_after_s:
            return ""
        return (
            f"{name} has passed none of {progress.records} waiting records for {seconds:.0f} s; see the log"
        )


def count_outcomes(step: str, outcomes: Sequence[Sequence[Message]]) -> None:
    """Count a committed batch by what came of each of its records; the figures are touched once a batch."""
    letters: Counter[str] = Counter()
    became: Counter[str] = Counter()
    for outcome in outcomes:
        kinds = [_error_type(message) for message in outcome if message.topic.endswith(".dlq")]
        letters.update(kinds)
        became["bug" if BUG in kinds else "rejected" if kinds else "made"] += 1
        for message in outcome:
            if message.failed_rules:
                report_failed_rules(step, message.key.decode(errors="replace"), message.failed_rules)
        if step == _DECIDER:
            _count_kills(outcome)
            _count_claims(outcome)
        elif step == _CLUSTERER:
            _count_joins(outcome)
    for kind, number in letters.items():
        DEAD_LETTERS.labels(step, kind).inc(number)
    for kind, number in became.items():
        RECORDS.labels(step, kind).inc(number)
    log.info("batch", step=step, records=len(outcomes), **became)
    if log.is_enabled_for(logging.DEBUG):
        _log_messages(step, outcomes)


def _log_messages(step: str, outcomes: Sequence[Sequence[Message]]) -> None:
    """One line a message, with the trace that `wiredesk trace` knows."""
    for message in (message for outcome in outcomes for message in outcome if message.headers):
        headers = dict(message.headers)
        log.debug(
            "made", step=step, topic=message.topic, trace=headers.get("traceparent", b"")[3:35].decode(),
            uri=headers.get("ce_subject", message.key).decode("utf-8", "replace")[:MAX_LOGGED_CHARS],
        )  # fmt: skip


def report_failed_rules(step: str, story: str, failed: Sequence[FailedRule]) -> None:
    """Count and log the rules of a step that failed on a story, which went on without what they make."""
    for each in failed:
        FAILED_RULES.labels(step, each.rule).inc()
        log.error(
            "a rule failed, and the story goes on without what it makes; please report it",
            step=step, rule=each.rule, reason=each.reason, story=story[:MAX_LOGGED_CHARS],
        )  # fmt: skip


def _count_kills(outcome: Sequence[Message]) -> None:
    """Count the kills among the events of a record by whether they reach a story."""
    for message in outcome:
        if _KILL in message.value and not message.topic.endswith(".dlq") and message.topic != LINEAGE.name:
            event = decode(message.value, Event)
            if not is_repeat(event):
                KILLS.labels("unreached" if is_unreached_kill(event) else "reached").inc()


def _count_joins(outcome: Sequence[Message]) -> None:
    """Count the events of a record by whether they begin a cluster; read from their bytes, as most are long."""
    for message in outcome:
        if message.topic != CLUSTERED.name and (match := _SEQUENCE.search(message.value)):
            CLUSTERED_STORIES.labels("first" if match[1] == b"1" else "joined").inc()


def _count_claims(outcome: Sequence[Message]) -> None:
    """Count the events of a record of which deduplicate says that they claim another source's story."""
    for message in outcome:
        if _FOREIGN in message.value and not message.topic.endswith(".dlq") and message.topic != LINEAGE.name:
            event = decode(message.value, Event)
            steps = event.provenance.steps if event.provenance else ()
            if not is_repeat(event) and any(
                part.name == "other-source" for step in steps for part in step.evidence
            ):
                FOREIGN_CLAIMS.labels(lineage(event).relation).inc()


def publish_lag(step: str, records: float | None, oldest_s: float | None) -> None:
    """Set the figures of a reader's lag: records that wait, and the age of the oldest in seconds; None: nobody knows.

    What nobody knows is absent: a figure that stands still at 0 would say that all is well.
    """
    for gauge, figure in ((LAG_RECORDS, records), (OLDEST_SECONDS, oldest_s)):
        if figure is not None:
            gauge.labels(step).set(figure)
            continue
        with suppress(KeyError):  # it is absent already
            gauge.remove(step)


def publish_window(step: str, sizes: Mapping[str, int]) -> None:
    """Set the figures of what a step remembers; a step that remembers nothing has none."""
    if "stories" in sizes:
        WINDOW_STORIES.labels(step).set(sizes["stories"])
    if "clusters" in sizes:
        CLUSTERS.set(sizes["clusters"])


_warned_of: set[str] = set()  # states of which a skipped record was logged: one line a process says it


def count_unread_state(topic: str, reason: str, records: int = 1) -> None:
    """Count records of a state that can't be read and are skipped; the first one of each state is logged."""
    UNREAD_STATE.labels(topic).inc(records)
    if topic not in _warned_of:
        _warned_of.add(topic)
        log.warning(
            "state that is damaged, or that another version wrote, is skipped: what it remembered is new again",
            topic=topic, reason=reason, figure="wire_unread_state_records_total",
        )  # fmt: skip


def _error_type(message: Message) -> str:
    return (message.header("x-error-type") or b"").decode()
